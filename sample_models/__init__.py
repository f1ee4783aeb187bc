"""The checkpoints of two runs, one that overfits and one that does not, the net they belong to and a probe set."""
