"""The plots of a scored text, and the list of its extremes."""
