"""The operations of the graph, one class each."""
