"""Deep embedded clustering (DEC and IDEC)."""
