"""Files on this machine: those of anyone, read within bounds, and ours, written whole; and folders that are held."""
