"""Samples in: where they come from, which of them are run, and how they are batched."""
