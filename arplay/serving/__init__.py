"""A loaded model as an OpenAI-compatible server of completions on this machine."""
