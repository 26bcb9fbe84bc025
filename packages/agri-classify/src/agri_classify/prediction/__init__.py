"""Prediction: files to classes with probabilities and conformal sets."""
