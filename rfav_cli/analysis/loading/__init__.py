"""How checkpoint files are read: as data, none of it run before it has been looked through."""
