"""A text: the editor, in which what Qt shows is an image of the exact bytes, and the heatmap in heat/."""
