"""Parts of the panel of candidates."""
