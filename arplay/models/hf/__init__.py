"""Causal networks of transformers: the seam to the library, caches and their proof, what makes steps fast."""
