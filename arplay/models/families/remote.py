"""Models that run at a server."""

from arplay.models.family import Family

REMOTE = Family(
    name="remote",
    what="A model at a server with OpenAI's completions, by its address: http://127.0.0.1:8000/v1#name.",
    schemes=("http", "https"),
    open="arplay.models.remote.model:load",
    icon="cloud",
)
