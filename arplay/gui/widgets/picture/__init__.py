"""Pictures of a few pixels on the screen."""
