"""Evaluation of a bundle on a chip store, with baselines, tables and figures."""
