"""The two ways to run a GGUF file, chosen by what stands behind its name: ``model.gguf#native`` or ``#dequantised``.

``model.gguf`` alone runs natively where llama.cpp is installed and neither a device nor a number type is asked for that
only transformers has; else it is dequantised, and ``Info.why`` says what the other way needs.
"""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from arplay.core.errors import Problem
from arplay.models.base import Model, Report

if TYPE_CHECKING:
    from arplay.models.baselines import LlamaCpp
    from arplay.models.gguf.native import NativeModel
    from arplay.models.hf.causal_lm import CausalLM

Way = Literal["", "native", "dequantised"]
INSTALL = "pip install 'arplay[gguf]'"


def split(spec: str) -> tuple[str, Way]:
    """The file and the way that a name asks for.

    >>> split("models/a.gguf#native"), split("b#2.gguf")
    (('models/a.gguf', 'native'), ('b#2.gguf', ''))
    """
    path, mark, way = spec.rpartition("#")
    if mark and (path.endswith(".gguf") or ".gguf@" in path):  # the latter: a revision of a hub's model
        if way == "native":
            return path, "native"
        if way == "dequantised":
            return path, "dequantised"
    return spec, ""


def is_native_there() -> bool:
    """Whether llama.cpp is installed; it is not imported into this process."""
    return find_spec("llama_cpp") is not None


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


def baseline(model: Model, cells: int) -> LlamaCpp | None:
    """The library's own loop on the same file; None for one that is dequantised."""
    if model.info.engine != "llama.cpp":
        return None
    from arplay.models.baselines import LlamaCpp
    from arplay.models.loading import threads

    return LlamaCpp(split(model.info.source)[0], threads(model.info.parameters or 0), cells)
