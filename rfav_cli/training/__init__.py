"""Trains nets with the paper's penalties: in anyone's loop and in ours."""
