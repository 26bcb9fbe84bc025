"""One run: its folder, checkpoints, history, scores and report."""
