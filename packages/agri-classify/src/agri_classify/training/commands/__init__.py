"""The training commands of `agri-classify`."""
