"""Models at a completions server, which tells its most probable tokens only."""
