"""The device: precision, memory layout, CUDA graphs."""
