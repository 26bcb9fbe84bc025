"""The commands of `agri-classify` that train."""
