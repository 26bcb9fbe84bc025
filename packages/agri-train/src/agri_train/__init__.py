"""The shared training engine: data module, losses, checkpoints, model bundles."""
