"""Initial centres: k-means, Ward, spectral and UMAP."""
