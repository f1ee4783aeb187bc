"""What the README claims, measured: `python -m benchmarks.speed`, `python -m benchmarks.memory`."""
