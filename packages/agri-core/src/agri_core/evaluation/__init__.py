"""The record of an evaluation: counts by place, scores with intervals, calibration."""
