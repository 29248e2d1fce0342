"""The heatmap of a text: rows of tokens, laid out as every script wants, and painted."""
