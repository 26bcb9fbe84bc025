"""Analysis of a finished map: hectares, polygons, agreement with a reference."""
