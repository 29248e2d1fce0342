"""Files of llama.cpp, whatever architecture is in them."""

from arplay.models.family import Family

GGUF = Family(
    name="gguf",
    what="A single .gguf file, as llama.cpp has them.",
    suffix=".gguf",
    file="GGUF file",
    open="arplay.models.gguf.ways:load",
    card="arplay.models.store.cards:of_gguf",
    baseline="arplay.models.gguf.ways:baseline",
    ways=(
        (
            "",
            "Automatic",
            "Native where llama.cpp is installed and no device or number type is chosen, else dequantised",
        ),
        ("native", "Native, quantised as it is", "llama.cpp computes with the file's own numbers: fast and small"),
        ("dequantised", "Dequantised, by transformers", "Every number is made a float first: needs more memory"),
    ),
    icon="stack",
)
