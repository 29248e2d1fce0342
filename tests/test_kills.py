"""A kill -9 of each kind of window; ``python -m tests.kills --times 200`` does many, and training and download too."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from tests.kills import GRACE, Line, come_back, whole, windows

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kill -9")


@pytest.mark.parametrize("kind", ["typing", "painting", "play", "saving"])
def test_killed_at_random_it_loses_no_more_than_the_last_second(kind: str) -> None:
    said: list[str] = []
    assert windows(kind, 1, 1.5, random.Random(kind), said.append) == 0, said


def test_the_comparison_sees_what_is_older_than_a_second(tmp_path: Path) -> None:
    """Negative control."""
    said = [Line("restored", 0, "a"), Line("state", 10, "b"), Line("state", 10 + GRACE, "c")]
    died = 10.5 + GRACE
    assert come_back(said, died, "b") and come_back(said, died, "c")
    assert not come_back(said, died, "a") and not come_back(said, died, "d")
    saved = tmp_path / "saved.txt"
    saved.write_bytes(b"half")
    assert not whole(saved, [Line("saving", 0, "whole"), Line("saved", 1, "whole")])
