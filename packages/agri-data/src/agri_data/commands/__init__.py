"""One module a command of `agri-data`."""
