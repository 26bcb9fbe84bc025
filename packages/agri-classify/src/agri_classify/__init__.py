"""Land cover of image patches: classifiers trained, measured and used."""

__version__ = "0.1.0"
