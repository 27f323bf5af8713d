"""How fast and how large, beside every peer that is installed: see ``__main__``."""
