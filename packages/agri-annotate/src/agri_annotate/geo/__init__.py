"""Drawings on georeferenced pictures, and polygon layers on the ground."""
