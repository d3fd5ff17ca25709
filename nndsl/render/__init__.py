"""Diagrams and curves."""
