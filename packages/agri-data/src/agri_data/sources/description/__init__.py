"""The description of a source: a strict YAML file as validated records."""
