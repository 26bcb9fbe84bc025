"""Splits by place, leak checks and resampling by place."""
