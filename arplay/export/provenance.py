"""Where figures come from: without the model, its revision and the settings a number cannot be made again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from arplay.core.decoding.pipeline import Pipeline
from arplay.core.reading import FIRST_TOKEN
from arplay.core.signs import safe
from arplay.models.base import Info
from arplay.version import __version__


@dataclass(frozen=True, slots=True)
class Provenance:
    """What an export carries beside its figures; ``text`` says where the text is from (a file and its encoding).

    ``decoding`` is None where the figures do not depend on it, ``seed`` where nothing was sampled.
    """

    info: Info
    first_token: str
    text: str
    decoding: Pipeline | None = None
    seed: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "arplay": __version__,
            "model": model(self.info),
            "first_token": self.first_token,
            "decoding": None if self.decoding is None else self.decoding.as_json,
            "seed": self.seed,
            "text": self.text,
        }

    def lines(self) -> list[str]:
        """For CSV comments: a line a fact, none with a line break in it."""
        info = self.info
        lines = [
            f"arplay {__version__}",
            f"model: {info.name} ({info.family}), revision {info.revision}, {info.dtype} on {info.device}",
            f"source: {info.source}",
            f"first token: {FIRST_TOKEN[self.first_token]}",
            f"text: {self.text}",
        ]
        if self.decoding is not None:
            lines.append(f"decoding: {self.decoding.label}")
        if self.seed is not None:
            lines.append(f"seed: {self.seed}")
        return [safe(line) for line in lines]

    def caption(self) -> list[str]:
        """For pictures: two short lines."""
        info = self.info
        how = [f"first token: {FIRST_TOKEN[self.first_token]}"]
        if self.decoding is not None:
            how.append(f"decoding: {self.decoding.label}")
        if self.seed is not None:
            how.append(f"seed {self.seed}")
        what = f"{info.name} ({info.family}), revision {info.revision}, {info.dtype} on {info.device}"
        return [safe(what), safe(" · ".join([*how, f"text: {self.text}", f"arplay {__version__}"]))]


def summary(info: Info) -> str:
    """The model in a line, safe to show."""
    context = "any context" if info.context is None else f"context {info.context:,}"
    count = "" if info.parameters is None else f"{info.parameters:,} parameters, "
    return safe(f"{info.name} ({info.family}, {count}{info.dtype} on {info.device}, {context})")


def model(info: Info) -> dict[str, Any]:
    """The model as every JSON output names it; ``context`` is null where the model has no limit.

    ``not_used``: sentences, each a fast way that is not taken, with the reason.
    """
    kept = ("name", "family", "source", "revision", "engine", "dtype", "device", "vocabulary", "context")
    return {name: getattr(info, name) for name in kept} | {"not_used": list(info.not_used)}
