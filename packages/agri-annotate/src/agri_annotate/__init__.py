"""VGG Image Annotator drawings to exact masks, and maps to drawings to correct."""

__version__ = "0.1.0"
