"""From a syntax tree, the words and a schema to graphs and recipes."""
