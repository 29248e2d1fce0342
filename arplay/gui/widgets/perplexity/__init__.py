"""The parts of the panel of perplexity."""
