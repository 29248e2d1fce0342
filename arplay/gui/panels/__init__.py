"""The catalogue of panels: a new panel is one new file and one line here. It is read without Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from arplay.export.charts import BARS, CACHE, HEATMAP, LEDGER, Chart
from arplay.models.family import resolve

if TYPE_CHECKING:
    from arplay.gui.contract import Panel


@dataclass(frozen=True, slots=True)
class PanelEntry:
    """Where a panel is at first, and what it exports.

    ``panel`` is its class, as "module:class". ``side``: its width in a new window, if it stands beside the text: at
    least so many pixels, a share of the window, at most so many. ``behind``: it shares the place of the one before,
    as a tab behind it. ``chart``: what its picture and its table are of; None: only what is in sight can be copied.
    """

    panel: str
    area: Literal["centre", "left", "right", "bottom"]
    side: tuple[int, float, int] = (216, 0.2, 300)
    behind: bool = False
    chart: Chart | None = None

    def width_in(self, window: int) -> int:
        """Pixels that it has beside the text of a new window of this width.

        >>> PANELS[2].width_in(1280), PANELS[2].width_in(4000)
        (384, 620)
        """
        least, share, most = self.side
        return min(most, max(least, int(window * share)))

    def make(self) -> Panel:
        panel: Panel = resolve(self.panel)()
        panel.entry = self
        return panel


PANELS = (
    PanelEntry("arplay.gui.panels.editor:EditorPanel", "centre"),
    PanelEntry("arplay.gui.panels.decoding:DecodingPanel", "left"),
    PanelEntry("arplay.gui.panels.next_token:NextTokenPanel", "right", side=(270, 0.3, 620), chart=BARS),
    PanelEntry("arplay.gui.panels.heatmap:HeatmapPanel", "bottom", chart=HEATMAP),
    PanelEntry("arplay.gui.panels.ledger:LedgerPanel", "bottom", chart=LEDGER),
    PanelEntry("arplay.gui.panels.history:HistoryPanel", "bottom", behind=True),
    PanelEntry("arplay.gui.panels.kv_cache:KvCachePanel", "bottom", behind=True, chart=CACHE),
)
