"""The Keras backend: framework, precision, checkpoints, prefetching."""
