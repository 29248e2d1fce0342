"""Models at a completions server, which tells its most probable tokens only."""

from arplay.models.family import Family

REMOTE = Family(
    name="remote",
    what="A model at a server with OpenAI's completions, by its address: http://127.0.0.1:8000/v1#name.",
    schemes=("http", "https"),
    open="arplay.models.families.remote.model:load",
    icon="cloud",
)
