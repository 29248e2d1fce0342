"""Files of llama.cpp, whatever architecture is in them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from arplay.core.errors import Problem
from arplay.models.family import Family
from arplay.models.gguf.ways import INSTALL, Way, is_native_there

if TYPE_CHECKING:
    from arplay.models.base import Report
    from arplay.models.gguf.native import NativeModel
    from arplay.models.hf.causal_lm import CausalLM


def load(path: Path, name: str, device: str, dtype: str, report: Report, way: Way = "") -> CausalLM | NativeModel:
    """Load a GGUF file the way asked for, or the better one that there is. Raises Problem as the ways do."""
    from arplay.models.gguf import dequantised as gguf_dequantised
    from arplay.models.gguf import native as gguf_native

    installed = is_native_there()
    if way == "native" and not installed:
        builds = f"run: {INSTALL} (it builds from source with cmake, in about five minutes)"
        raise Problem("llama.cpp is not installed", f"{builds}, or open {path.name}#dequantised")
    fits_native = device in ("auto", "cpu") and dtype == "auto"
    if way == "native" or (not way and installed and fits_native):
        model: CausalLM | NativeModel = gguf_native.load(path, name, device, dtype, report)
    else:
        model = gguf_dequantised.load(path, name, device, dtype, report)
        if not way and not installed:
            note = f"to run it quantised as it is: {INSTALL}"
            model.info = replace(model.info, why=f"{model.info.why}; {note}")
    if way:
        model.info = replace(model.info, source=f"{path}#{way}")
    return model


GGUF = Family(
    name="gguf",
    what="A single .gguf file, as llama.cpp has them.",
    suffix=".gguf",
    file="GGUF file",
    open="arplay.models.families.gguf:load",
    card="arplay.models.store.cards:of_gguf",
    coder="arplay.models.gguf.tokenizer:of_file",
    baseline="arplay.models.gguf.baseline:baseline",
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
