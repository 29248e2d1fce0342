"""Where models come from and are kept: the hub, packages, and their cards."""
