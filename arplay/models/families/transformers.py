"""Whatever the transformers library has as a causal language model; a Llama is trained."""

from arplay.models.family import Family, Training

TRANSFORMERS = Family(
    name="transformers",
    what="A folder of the transformers library: config.json, safetensors weights, tokenizer.",
    file="folder",
    open="arplay.models.hf.loading:load",
    card="arplay.models.store.cards:of_folder",
    coder="arplay.models.alphabets.files:of_folder",
    baseline="arplay.models.hf.baseline:baseline",
    training=Training(
        key="transformer",
        label="Transformer",
        about="Attention: each token looks back at every token of its context. The architecture of today's language "
        "models.",
        kind="a Llama-like transformer",
        by="arplay.models.hf.networks:llama",
        shape="arplay.training.sizes:TRANSFORMER",
        context=512,
        batch=8,
        rates={"muon_rate": 0.02, "adamw_rate": 0.004},
    ),
)
