"""Parts of the KV-cache panel."""
