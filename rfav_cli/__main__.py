"""`python -m rfav_cli`."""

from rfav_cli.cli import main

if __name__ == "__main__":
    main()
