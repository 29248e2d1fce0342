"""Exactly one final result for each request, and nothing after it: the window forgets what was asked by then."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial

import pytest
from pytestqt.qtbot import QtBot

from arplay.core.modalities.text import Caret, Text
from arplay.engine import scoring
from arplay.engine.explore import Explore
from arplay.engine.load import Load, Loaded
from arplay.engine.messages import Progress, Request, Result
from arplay.engine.scoring import Score
from arplay.engine.worker import Worker
from arplay.gui.bridge import Bridge
from arplay.models.base import Model, Report
from tests.small_model import SmallModel
from tests.test_worker import HANG_GUARD

CONTEXTS = (1, 2, 3, 4, 5, None)
LENGTHS = range(9)


class Loose(Worker):
    """The control: a worker that tells whatever its jobs say."""

    def _emit_result(self, job: object, result: Result) -> None:
        self._emit(result)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every chunk is told, as on a machine that is slow enough."""
    monkeypatch.setattr(scoring, "LEDGER_SECONDS", -1.0)


def answers(kind: type[Worker], contexts: tuple[int | None, ...] = CONTEXTS) -> Iterator[list[Result]]:
    """What is told of each text under each context, the results of one request together."""
    for context in contexts:
        results: dict[int, list[Result]] = {}
        ended = threading.Semaphore(0)

        def emit(
            result: Result, results: dict[int, list[Result]] = results, ended: threading.Semaphore = ended
        ) -> None:
            results.setdefault(result.number, []).append(result)
            if result.is_last:
                ended.release()

        worker = kind(emit, lambda *_, context=context: SmallModel(context))
        requests: list[Request] = [Load(0, "small")]
        requests += [Score(1 + n, Text.of((b"BAC" * 9)[n % 3 :][:n])) for n in LENGTHS]  # none begins as the one before
        for request in requests:
            worker.submit(request)
            assert ended.acquire(timeout=HANG_GUARD)
        assert worker.close(HANG_GUARD)
        yield from results.values()


def test_a_text_of_any_length_is_answered_once(told: None) -> None:
    seen = list(answers(Worker))
    assert len(seen) == len(CONTEXTS) * (1 + len(LENGTHS))
    for results in seen:
        assert [result.is_last for result in results] == [False] * (len(results) - 1) + [True]
    assert max(map(len, seen)) > 2, "growing ledgers were told on the way"


def test_one_token_behind_a_full_window_was_answered_twice(told: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control, on the worker's side and on the ledger's: where neither looks, the last chunk ends it as well."""
    monkeypatch.setattr(scoring.Columns, "complete", False)
    assert max(sum(result.is_last for result in results) for results in answers(Loose, (4,))) == 2
    assert max(sum(result.is_last for result in results) for results in answers(Worker, (4,))) == 1


def test_what_a_loader_reports_late_is_told_to_nobody(qtbot: QtBot) -> None:
    """A thread of a library may look at the loading's end a moment later: the window knows nothing of it by then."""
    reports: list[Report] = []

    def load(spec: str, device: str, dtype: str, report: Report) -> Model:
        reports.append(report)
        report(0.5, "on time")
        return SmallModel(context=None)

    bridge, results = Bridge(load=load), list[Result]()
    bridge.result.connect(results.append)
    number = bridge.ask(partial(Load, spec="small"))
    qtbot.waitUntil(lambda: any(isinstance(result, Loaded) for result in results), timeout=int(HANG_GUARD * 1000))
    late = threading.Thread(target=reports[0], args=(1.0, "late"))
    late.start()
    late.join()
    after = bridge.ask(partial(Explore, document=Text.of(b"BA"), place=Caret(2)))
    qtbot.waitUntil(lambda: results[-1].number == after, timeout=int(HANG_GUARD * 1000))
    seen = [result.what for result in results if isinstance(result, Progress) and result.number == number]
    assert "on time" in seen and "late" not in seen
    assert bridge.close(HANG_GUARD)
