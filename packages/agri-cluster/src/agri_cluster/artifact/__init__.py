"""A fitted clustering on disk: saved, opened, used to predict."""
