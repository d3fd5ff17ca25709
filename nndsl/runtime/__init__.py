"""From a program to something that runs; the NumPy oracle; weight files."""
