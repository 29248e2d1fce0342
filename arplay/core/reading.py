"""How a text becomes a chain of pieces: one choice a model, the same in every view and on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FirstPiece = Literal["auto", "bos", "eos", "unscored"]


@dataclass(frozen=True, slots=True)
class Reading:
    """``first_piece``: what stands before the text (see :func:`arplay.models.base.lead`). ``special``: whether the
    name of a special token that was typed, like ``<|endoftext|>``, stands for that token or for its letters.
    ``window_lead``: whether what stands before the text stands before every later window of a long one as well.
    """

    first_piece: FirstPiece = "auto"
    special: bool = False
    window_lead: bool = False
