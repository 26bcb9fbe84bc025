"""The report of a run as JSON and as an HTML page."""
