"""The report of a run as one HTML file: what it may hold, and how that becomes a page."""
