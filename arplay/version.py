"""Which arplay this is. A module of its own, so that whoever says it need not know the whole package."""

__version__ = "0.1.0"
