"""Inference: tiles through an engine, blended into class probabilities."""
