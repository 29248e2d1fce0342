"""Parts of the panel of tokenizers."""
