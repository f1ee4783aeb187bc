"""What lies in a user's project: nets and samples that can be told without running anything, and its settings."""
