"""What a long scoring says on a terminal: what it costs beforehand, and on its way how long it still takes."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest

from arplay.cli import main
from arplay.commands import console, score
from arplay.commands.console import ProgressLine


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def told(monkeypatch: pytest.MonkeyPatch, steps: list[tuple[float, float, str]]) -> list[str]:
    """The lines of (second, fraction, what) on a clock that stands between them."""
    lines: list[str] = []
    clock = SimpleNamespace(now=0.0, monotonic=lambda: clock.now)
    monkeypatch.setattr(console.sys, "stderr", Terminal())  # type: ignore[attr-defined]
    monkeypatch.setattr(console, "time", clock)
    monkeypatch.setattr(console, "change_line", lambda stream, line: lines.append(line))
    progress = ProgressLine()
    for second, fraction, what in steps:
        clock.now = second
        progress(fraction, what)
    return lines


def test_what_takes_long_tells_the_time_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [(1.0, 0.0, "scoring"), (2.0, 0.01, "scoring"), (11.0, 0.1, "scoring"), (61.0, 0.6, "scoring")]
    assert told(monkeypatch, steps) == [
        "scoring 0%",
        "scoring 1%",
        "scoring 10%, 1 min 30 s left",
        "scoring 60%, 40 s left",
    ]


def test_each_work_has_a_time_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [(1.0, 0.0, "loading"), (9.0, 0.5, "loading"), (10.0, 0.0, "scoring"), (11.0, 0.5, "scoring")]
    assert told(monkeypatch, steps)[1:] == ["loading 50%, 8 s left", "scoring 0%", "scoring 50%"]


def test_a_long_text_tells_beforehand_what_it_costs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["score", "--prompt", "BACBACBACB", "--model", "abc", "--context", "4", "--stride", "1", "--json"]
    assert main(command) == 0
    assert "to read" not in capsys.readouterr().err, "it is over before anybody wonders"
    monkeypatch.setattr(score, "LONG", 20)
    assert main(command) == 0
    assert "6 windows, each a forward, and 24 tokens to read" in capsys.readouterr().err
