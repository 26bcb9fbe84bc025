"""The report of a clustering: figures, cards and one HTML page."""
