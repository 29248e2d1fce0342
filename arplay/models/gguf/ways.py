"""The two ways to run a GGUF file, chosen by what stands behind its name: ``model.gguf#native`` or ``#dequantised``.

``model.gguf`` alone runs natively where llama.cpp is installed and neither a device nor a number type is asked for that
only transformers has; else it is dequantised, and ``Info.why`` says what the other way needs.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Literal

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
