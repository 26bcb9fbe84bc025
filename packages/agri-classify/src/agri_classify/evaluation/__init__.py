"""Evaluation of a bundle on labelled patches: scores, figures, report."""
