"""Readers, one per annotation format."""
