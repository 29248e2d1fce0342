"""Joint distributions of small pictures, written by hand."""

from arplay.models.family import Family

JOINT = Family(
    name="joint",
    what="A JSON file with a joint distribution of small pictures, like the built-in xo.json.",
    suffix=".json",
    marks=("patterns", "signs"),
    file="table",
    open="arplay.models.families.joint.model:load",
    card="arplay.models.store.cards:of_opened",
    looked_up=True,
    tokens="arplay.models.families.joint.model:tokens",
    icon="table",
)
