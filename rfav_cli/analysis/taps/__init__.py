"""How activations are read while a net runs: hooks in eager nets, a dispatch mode around programs."""
