"""Tables of conditional probabilities, written by hand."""

from arplay.models.family import Family

TABLE = Family(
    name="table",
    what="A JSON table of conditional probabilities, like the built-in abc.json.",
    suffix=".json",
    marks=("alphabet",),
    file="table",
    open="arplay.models.families.table.model:load",
    card="arplay.models.store.cards:of_opened",
    looked_up=True,
    any_context=True,
    icon="table",
)
