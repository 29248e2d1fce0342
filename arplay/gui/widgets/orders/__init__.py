"""The parts of the panel of orders."""
