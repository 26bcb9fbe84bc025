"""Class maps to outlines: polygons, drafts and simulated drawings."""
