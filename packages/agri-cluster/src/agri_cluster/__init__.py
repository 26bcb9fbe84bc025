"""Deep embedded clustering of image tiles: from unlabelled imagery to groups a person can name."""

__version__ = "0.1.0"
