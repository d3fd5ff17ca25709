"""From characters to a syntax tree, and back in canonical form."""
