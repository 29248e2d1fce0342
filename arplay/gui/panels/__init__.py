"""The catalogue of panels: a new panel is one new file and one line here."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Literal, cast

from arplay.gui.contract import Panel


@dataclass(frozen=True, slots=True)
class Place:
    """Where a panel is at first. ``with_`` names the panel it shares its place with, as a tab behind it."""

    module: str
    panel: str
    area: Literal["centre", "left", "right", "bottom"]
    with_: str | None = None

    def make(self) -> Panel:
        return cast(Panel, getattr(import_module(f"arplay.gui.panels.{self.module}"), self.panel)())


PANELS = (
    Place("editor", "EditorPanel", "centre"),
    Place("decoding", "DecodingPanel", "left"),
    Place("next_token", "NextTokenPanel", "right"),
    Place("heatmap", "HeatmapPanel", "bottom"),
    Place("ledger", "LedgerPanel", "bottom"),
    Place("history", "HistoryPanel", "bottom", "ledger"),
    Place("kv_cache", "KvCachePanel", "bottom", "ledger"),
)
