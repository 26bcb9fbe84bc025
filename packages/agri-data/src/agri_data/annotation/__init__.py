"""Selection of pieces to annotate, and reading back what was drawn."""
