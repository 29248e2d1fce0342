"""arplay: see an autoregressive model think."""

__version__ = "0.1.0"
