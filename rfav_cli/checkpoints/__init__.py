"""Checkpoint files: found, put in the order of their epochs, read as data that runs nothing."""
