"""Checkpoints and probe images in, one Measurement an epoch out."""
