"""From a planned graph to a program: kernels as text and a table of calls."""
