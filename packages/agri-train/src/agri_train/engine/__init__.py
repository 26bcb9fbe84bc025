"""The training engine: task, losses, optimiser, schedule, seed."""
