"""The parts of the list of models."""
