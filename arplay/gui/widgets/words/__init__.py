"""The parts of the panel of words."""
