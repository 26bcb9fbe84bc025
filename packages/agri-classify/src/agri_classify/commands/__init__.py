"""The commands of `agri-classify`, one a file."""
