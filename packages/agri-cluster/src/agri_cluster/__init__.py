"""Deep embedded clustering of image tiles: from unlabelled imagery to named clusters."""

__version__ = "0.1.0"
