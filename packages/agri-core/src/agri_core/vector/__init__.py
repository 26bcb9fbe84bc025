"""Vector data: coordinate reference systems, reading layers of polygons, writing features."""
