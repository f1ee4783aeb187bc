"""What the README claims, measured; `benchmarks/README.md` has the commands."""
