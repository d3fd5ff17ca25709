"""Networks as files that need no nndsl."""
