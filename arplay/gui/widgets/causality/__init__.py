"""What the causality panel is made of."""
