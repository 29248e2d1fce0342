"""Parts of the panel of continuations."""
