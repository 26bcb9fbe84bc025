"""Networks by name, and test-time views."""
