"""The commands of `agri-segment`, one a file."""
