"""What a document is written in, one file a kind: the text's is the editor itself."""
