"""The model bundle: its spec, its card and the preprocessing it asks for."""
