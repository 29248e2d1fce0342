"""Dilated causal convolutions of sounds that arplay has trained."""

from arplay.models.family import Family, Training

STAGES = 9
"""Layers of a cycle of those that arplay trains, of dilations 1 to 256."""

WAVENET = Family(
    name="WaveNet",
    what="A convolutional network of sound that arplay has trained; it writes a wave sample by sample.",
    model_type="arplay-wavenet",
    open="arplay.models.families.wavenet.loading:load",
    card="arplay.models.store.cards:of_pictures",
    build="arplay.models.families.wavenet.loading:build",
    tokens="arplay.models.families.wavenet.loading:tokens",
    any_context=True,
    training=Training(
        key="wavenet",
        label="WaveNet",
        about="A convolutional network of sound, whose layers look back 1, 2, 4 up to 256 samples.",
        kind="a WaveNet",
        by="arplay.models.families.wavenet.network:wavenet",
        shape="arplay.training.sizes:DILATED",
        data="arplay.training.sounds:gather",
        unit="sample",
        context=2048,
        batch=4,
        params=160_000,
        learns="arplay.training.sounds:SOUNDS",
        sizes=(
            (60_000, "60 thousand parameters: learns what tones are like. The quickest."),
            (160_000, "160 thousand parameters: learns a voice, given minutes of it. For half an hour or more."),
            (400_000, "400 thousand parameters: learns finer sounds, given an hour and more of them."),
        ),
        contexts=(512, 1024, 2048, 4096),
        vocabularies=(),
        rates={"muon_rate": 0.01, "adamw_rate": 0.003, "compile": False},
    ),
)
