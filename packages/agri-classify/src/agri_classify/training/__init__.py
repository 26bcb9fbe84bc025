"""Training of classifiers; needs the extra `agri-classify[train]`."""
