"""What heatmaps of all kinds have: colours, legend, hover card, the picture that scrolls, and the head of a sheet."""
