"""How the panels share the window: by what they hold, the same again after every way there and back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from arplay.gui.sharing import shared

HEIGHTS = st.lists(st.tuples(st.integers(0, 100_000), st.integers(1, 300)), min_size=1, max_size=5)


@given(room=st.integers(1, 5000), panels=HEIGHTS)
def test_the_whole_room_is_given_and_nobody_below_the_least_starves(room: int, panels: list[tuple[int, int]]) -> None:
    wanted, least = [want for want, _ in panels], [low for _, low in panels]
    sizes = shared(room, wanted, least)
    assert sum(sizes) == room and min(sizes) >= 0
    if room >= sum(least):
        assert all(size >= low for size, low in zip(sizes, least, strict=True))
