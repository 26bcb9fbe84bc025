"""The commands of `agri-classify`, one per file."""
