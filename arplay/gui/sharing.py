"""How panels that stand above one another share a height: by what they hold, and what is left over alike."""

from __future__ import annotations

from collections.abc import Sequence


def shared(room: int, wanted: Sequence[int], least: Sequence[int]) -> list[int]:
    """Heights that add up to ``room``: at least ``least``, then alike until each has what it wants, then alike.

    Where not even ``least`` fits, everything gives way in proportion.

    >>> shared(900, [100, 5000, 5000], [80, 80, 80]), shared(900, [100, 200, 150], [80, 80, 80])
    ([100, 400, 400], [250, 350, 300])
    >>> shared(120, [500, 500, 500], [80, 80, 80])
    [40, 40, 40]
    """
    if room <= sum(least):
        sizes = [room * low // sum(least) for low in least]
        return [*sizes[:-1], room - sum(sizes[:-1])]
    goals = [max(low, want) for low, want in zip(least, wanted, strict=True)]
    if sum(goals) <= room:
        extra, more = divmod(room - sum(goals), len(goals))
        return [goal + extra + (place < more) for place, goal in enumerate(goals)]
    low, high = 0, room  # the level that those have who do not get all that they want
    while high - low > 1:
        level = (low + high) // 2
        filled = sum(max(floor, min(goal, level)) for floor, goal in zip(least, goals, strict=True))
        low, high = (level, high) if filled <= room else (low, level)
    sizes = [max(floor, min(goal, low)) for floor, goal in zip(least, goals, strict=True)]
    largest = max(range(len(sizes)), key=lambda place: goals[place] - sizes[place])
    sizes[largest] += room - sum(sizes)
    return sizes
