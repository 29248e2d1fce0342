"""The heatmap: layout, colours, painting, hover card and exported sheet."""
