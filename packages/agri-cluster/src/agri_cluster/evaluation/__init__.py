"""Evaluation: metrics, baselines, merging, the choice of the number of clusters."""
