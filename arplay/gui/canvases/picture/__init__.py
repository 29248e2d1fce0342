"""A picture: the pixels that are painted, and their surprisal."""
