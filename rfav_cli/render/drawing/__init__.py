"""What the figures share: pages, curves, and which of a run is drawn."""
