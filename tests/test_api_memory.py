"""Memory that runs out below the Python interface and the commands that stand on it."""

from __future__ import annotations

import pytest

import arplay


@pytest.mark.parametrize("error", [MemoryError("no more"), RuntimeError("DefaultCPUAllocator: can't allocate memory")])
def test_memory_that_runs_out_is_told_and_a_bug_is_not_hidden(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = arplay.load("abc")

    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(type(model.backend.session()), "extend", fails)
    with pytest.raises(arplay.Problem, match="not enough memory"):
        model.score("BAC")
    error = ValueError("a bug")
    with pytest.raises(ValueError, match="a bug"):
        model.score("BA")
