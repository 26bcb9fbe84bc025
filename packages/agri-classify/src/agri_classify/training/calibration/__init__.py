"""Calibration: conformal thresholds and cross-fitted temperature."""
