"""The version, where every room can have it: the package itself names what is above them."""

__version__ = "0.1.0"
