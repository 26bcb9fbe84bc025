"""Post-processing of a bundle: half precision, metrics, JPEG robustness."""
