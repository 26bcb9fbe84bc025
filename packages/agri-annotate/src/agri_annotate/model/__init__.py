"""Records of an annotation project: shapes, regions, pictures, classes."""
