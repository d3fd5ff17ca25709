"""Operator cases of other makers, run through the compiled kernels."""
