"""What the comparison panel is made of."""
