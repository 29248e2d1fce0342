"""The parts of the panel in which one is the model."""
