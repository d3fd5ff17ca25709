"""From data files to arrays and a schema."""
