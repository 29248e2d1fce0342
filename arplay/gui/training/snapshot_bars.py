"""The next-token chart of a snapshot: the playground's rows, with the newest snapshot as the outline."""

from __future__ import annotations

import html
import math

from arplay.core.format import nats_or_bits, percent
from arplay.gui.theme import SPACE
from arplay.gui.widgets.bars.bars import Row
from arplay.gui.widgets.bars.painting import others
from arplay.gui.widgets.bars.view import BarView


class SnapshotBars(BarView):
    """Rows are looked at, not taken: choosing one only lights it up, so that it can be followed over the snapshots."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Next tokens of this snapshot")

    def row_card(self, row: Row) -> str:
        lines = [
            ("p, this snapshot", percent(row.decoded)),
            ("surprisal, this snapshot", _surprisal(row.decoded)),
            ("rank, this snapshot", "—" if row.rank is None else f"{row.rank:,}"),
            ("p, newest snapshot", percent(row.prob)),
            ("id", f"{row.id:,}"),
        ]
        cells = "".join(
            f"<tr><td style='color:{self.theme.muted}; padding-right:{SPACE[2]}px'>{name}</td>"
            f"<td align='right'>{html.escape(value)}</td></tr>"
            for name, value in lines
        )
        note = "<br>next in the text" if row.actual else ""
        return f"<b>{html.escape(row.text)}</b>{note}<table cellspacing='0'>{cells}</table>"

    def rest_card(self) -> str:
        rest = self.bars.rest
        if rest is None:
            return ""
        longest = max(rest.prob, rest.decoded or 0.0)
        torn = "<br>The bar is torn: it is longer than the axis." if self.axis.exceeds(longest) else ""
        return (
            f"<b>{others(rest)}</b> without a row<br>together {percent(rest.decoded)} of this snapshot's probability, "
            f"{percent(rest.prob)} of the newest's{torn}"
        )

    def _tell_choice(self) -> None:
        row = self.chosen_row
        if row:
            self.setAccessibleDescription(f"rank {row.rank}, {row.text}, {percent(row.decoded)} in this snapshot")


def _surprisal(p: float | None) -> str:
    if p is None:
        return "—"
    return f"{nats_or_bits(-math.log(p), 'nats')} = {nats_or_bits(-math.log(p), 'bits')}" if p > 0 else "∞"
