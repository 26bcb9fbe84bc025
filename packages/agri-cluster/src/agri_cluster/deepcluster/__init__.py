"""DeepCluster: cluster the features, learn the clusters, repeat."""
