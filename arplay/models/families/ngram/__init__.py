"""Counts of n-grams, looked up."""

from arplay.models.family import Family, Training

NGRAM = Family(
    name="n-gram",
    what="Counts of n-grams with modified Kneser-Ney smoothing, looked up.",
    model_type="arplay-ngram",
    open="arplay.models.families.ngram.model:load",
    card="arplay.models.store.cards:of_counts",
    coder="arplay.models.alphabets.files:of_folder",
    looked_up=True,
    any_context=True,
    icon="table",
    training=Training(
        key="ngram",
        label="n-gram",
        about="Counts what followed each run of four tokens (Kneser-Ney). No gradient; ready in seconds: the baseline.",
        kind="an n-gram model (modified Kneser-Ney)",
        by="arplay.training.ngram_run:run",
        order=5,
        sizes=(),
        contexts=(),
        orders=(2, 3, 4, 5, 6),
    ),
)
