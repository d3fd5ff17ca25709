"""Graph to graph: the optimising passes and their order."""
