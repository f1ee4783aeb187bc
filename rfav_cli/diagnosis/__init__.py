"""Decisions on what was measured: pure functions on records."""
