"""The loop: checkpoints x batches in, one Measurement a checkpoint out; it knows no store and no terminal."""
