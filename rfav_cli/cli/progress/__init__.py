"""What commands that go on for long tell meanwhile, a file a command."""
