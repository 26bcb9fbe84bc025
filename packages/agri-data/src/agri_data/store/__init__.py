"""The chip store: memory-mapped arrays, table, description and statistics."""
