"""One line of the catalogue of panels. It is read without Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from arplay.export.charts import Chart
from arplay.models.family import resolve


@dataclass(frozen=True, slots=True)
class PanelEntry:
    """What a panel is called, where it is at first, and what it exports.

    ``panel`` is its class, as "module:class", which is imported when the panel is first seen. ``side``: its width in a
    new window, if it stands beside the text: at least so many pixels, a share of the window, at most so many.
    ``behind``: it shares the place of the one before, as a tab behind it. ``chart``: what its picture and its table
    are of; None: only what is in sight can be copied.
    """

    panel: str
    title: str
    area: Literal["centre", "left", "right", "bottom"]
    side: tuple[int, float, int] = (216, 0.2, 300)
    behind: bool = False
    chart: Chart | None = None

    @property
    def name(self) -> str:
        """Short and stable, of saved layouts and exports: its module's.

        >>> PanelEntry("arplay.gui.panels.words:WordsPanel", "Words", "bottom").name
        'words'
        """
        return self.panel.partition(":")[0].rpartition(".")[2]

    def width_in(self, window: int) -> int:
        """Pixels that it has beside the text of a new window of this width.

        >>> entry = PanelEntry("module:class", "Title", "right", side=(270, 0.3, 620))
        >>> entry.width_in(1280), entry.width_in(4000)
        (384, 620)
        """
        least, share, most = self.side
        return min(most, max(least, int(window * share)))

    def make(self) -> Any:
        """The :class:`arplay.gui.contract.Panel` that it is the line of."""
        panel = resolve(self.panel)()
        panel.entry, panel.name, panel.title = self, self.name, self.title
        return panel
