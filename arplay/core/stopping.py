"""Stop strings: a text that is written bit by bit ends before the first of them."""

from __future__ import annotations

from collections.abc import Sequence


class Stops:
    """Text goes in as tokens write it, and comes out as soon as no stop string can begin in it.

    >>> stops = Stops(["END", "E!"])
    >>> [stops.write(text) for text in ("a E", "N", "d E", "ND", "more")], stops.found
    (['a ', '', 'ENd ', '', ''], 'END')
    >>> stops.end()
    ''

    A stop string may be said as texts are shown: ``⟨E2⟩`` is a byte that is part of no whole character.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stop for stop in stops if stop)
        self._waits = ""
        self.found = ""
        """The stop string that came, if one did: nothing is written from then on."""

    def write(self, text: str) -> str:
        """What is sure by now."""
        if self.found:
            return ""
        self._waits += text
        places = [(at, -len(stop), stop) for stop in self._stops if (at := self._waits.find(stop)) >= 0]
        if places:
            at, _, self.found = min(places)
        else:
            at = next((at for at in range(len(self._waits)) if self._may_begin(at)), len(self._waits))
        sure, self._waits = self._waits[:at], "" if places else self._waits[at:]
        return sure

    def end(self) -> str:
        """What waited for a stop string that does not come."""
        left, self._waits = self._waits, ""
        return left

    def _may_begin(self, at: int) -> bool:
        return any(stop.startswith(self._waits[at:]) for stop in self._stops)
