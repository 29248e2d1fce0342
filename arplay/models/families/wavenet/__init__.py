"""Dilated causal convolutions of sounds that arplay has trained."""

from arplay.models.family import Family

WAVENET = Family(
    name="WaveNet",
    what="A convolutional network of sound that arplay has trained; it writes a wave sample by sample.",
    model_type="arplay-wavenet",
    open="arplay.models.families.wavenet.loading:load",
    card="arplay.models.store.cards:of_pictures",
    build="arplay.models.families.wavenet.loading:build",
    tokens="arplay.models.families.wavenet.loading:tokens",
    any_context=True,
    icon="cube",
)
