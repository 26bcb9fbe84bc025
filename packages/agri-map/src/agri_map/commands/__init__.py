"""One file per command of `agri-map`."""
