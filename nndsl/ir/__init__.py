"""The graph and its text form."""
