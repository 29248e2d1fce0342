"""The window of training: setting a run up, watching it, and what its snapshots show."""
