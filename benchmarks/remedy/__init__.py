"""What retraining by a recommended recipe is worth, beside the usual remedies."""
