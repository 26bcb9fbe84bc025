"""Files and the command line: errors, safe outputs, fingerprints, tables, YAML, parameters."""
