"""Parts of the panel of what a step costs."""
