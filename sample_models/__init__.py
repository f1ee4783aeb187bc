"""The checkpoints of three runs, their net and a probe set: one grows too sure, one forgets, one does neither."""
