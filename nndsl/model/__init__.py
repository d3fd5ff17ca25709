"""Whole trainings and trained networks: what the command line and the Python API both call."""
