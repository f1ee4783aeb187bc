"""Checkpoints x batches -> one Measurement a checkpoint. It knows no store and no terminal."""
