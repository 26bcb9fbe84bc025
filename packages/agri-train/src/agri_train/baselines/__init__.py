"""Baselines that a network must beat: the majority class and logistic regressions."""
