"""What a document is written in and what its scores are shown on, a room or a file a kind."""
