"""What the command line tells the window. No Qt here, so that reading it costs nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from arplay.core.reading import Reading

if TYPE_CHECKING:
    from arplay.core.decoding.pipeline import Pipeline
    from arplay.engine.load import Device, Dtype


@dataclass(frozen=True, slots=True)
class WindowOptions:
    """None means: as remembered from the last time, else the default.

    ``encoding`` is that of ``text_file``; None stands for UTF-8. ``size`` is the window's, in logical pixels.
    ``reading`` says how the text is read where it is not the default.
    ``bars`` and ``decoding`` are for a picture of the window, which takes no part in what is remembered.
    """

    text_file: Path | None = None
    model: str | None = None
    prompt: str | None = None
    device: Device = "auto"
    dtype: Dtype = "auto"
    theme: str | None = None
    encoding: str | None = None
    size: tuple[int, int] | None = None
    reading: Reading = Reading()
    bars: int = 20
    decoding: Pipeline | None = None
