"""Writers, one per annotation format."""
