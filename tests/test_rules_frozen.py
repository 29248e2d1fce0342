"""Rule 3: what crosses threads is frozen, its arrays are read-only, and no tensor is among it."""

from __future__ import annotations

import dataclasses
import queue
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from arplay.core import position
from arplay.core.modalities.text import Caret, Text
from arplay.engine import messages
from arplay.engine.explore import Explore, Explored
from arplay.engine.load import Load, Loaded
from arplay.engine.messages import Failed, Request, Result
from arplay.engine.reconcile import Reconcile, Reconciled
from arplay.engine.scoring import Score, Scored
from arplay.engine.worker import Worker
from arplay.gui import intents, settings, view
from tests.strictness import HANG_GUARD


def unfrozen(module: ModuleType) -> list[str]:
    """The dataclasses that ``module`` defines and that can be changed after they are made."""
    found = [
        value for value in vars(module).values() if isinstance(value, type) and value.__module__ == module.__name__
    ]
    kinds: list[Any] = [kind for kind in found if dataclasses.is_dataclass(kind)]
    return [kind.__name__ for kind in kinds if not kind.__dataclass_params__.frozen]


def improper(value: object, where: str = "result") -> Iterator[str]:
    """The places in ``value``, and in all it holds, of writable arrays, tensors and mutable containers."""
    seen: set[int] = set()
    waiting = [(where, value)]
    while waiting:
        where, value = waiting.pop()
        if id(value) in seen or isinstance(value, str | bytes | int | float | bool | None | np.generic):
            continue
        seen.add(id(value))
        if isinstance(value, np.ndarray):
            if value.flags.writeable:
                yield f"{where}: writable array"
        elif type(value).__module__.partition(".")[0] == "torch":
            yield f"{where}: {type(value).__name__} of torch"
        elif isinstance(value, tuple | frozenset):
            waiting += [(f"{where}[{i}]", part) for i, part in enumerate(value)]
        elif isinstance(value, list | dict | set | bytearray):
            yield f"{where}: mutable {type(value).__name__}"
        else:
            names = {*getattr(value, "__dict__", ()), *(slot for kind in type(value).__mro__ for slot in _slots(kind))}
            waiting += [(f"{where}.{name}", getattr(value, name)) for name in sorted(names) if hasattr(value, name)]


def _slots(kind: type) -> tuple[str, ...]:
    slots = vars(kind).get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def answers(spec: str, text: bytes) -> list[Any]:
    """All that the worker says when ``text`` is explored, scored and reconciled on the model ``spec``."""
    said: queue.Queue[Any] = queue.Queue()
    worker = Worker(said.put)
    document = Text.of(text)
    requests: list[Request] = [
        Load(1, spec),
        Explore(2, document, Caret(len(text))),
        Explore(3, document, Caret(1)),
        Score(4, document),
        Reconcile(5, document),
    ]
    results: list[Any] = []
    try:
        for request in requests:
            worker.submit(request)
            while not results or not _ends(results[-1], request):
                results.append(said.get(timeout=10 * HANG_GUARD))  # torch may be imported first
    finally:
        assert worker.close(HANG_GUARD)
    return results


def _ends(result: Any, request: Request) -> bool:
    kinds = (Loaded, Explored, Scored, Reconciled, Failed)
    whole = not isinstance(result, Scored) or result.ledger.complete
    return result.number == request.number and isinstance(result, kinds) and whole


@pytest.mark.parametrize("module", [messages, position, settings, view, intents], ids=lambda module: module.__name__)
def test_every_message_is_frozen(module: ModuleType) -> None:
    assert unfrozen(module) == []


def test_a_message_that_can_be_changed_is_seen() -> None:
    module = ModuleType("careless")
    module.Fluid = dataclass(type("Fluid", (), {"__module__": "careless"}))  # type: ignore[attr-defined]
    assert unfrozen(module) == ["Fluid"]
    for base in (Request, Result):  # what jobs add to these, each in its own file, is frozen like them
        with pytest.raises(TypeError, match="frozen"):
            dataclass(type("Fluid", (base,), {}))


@pytest.mark.parametrize(("spec", "text"), [("abc", b"BACABACAB" * 20), ("english", b"Once upon a time " * 40)])
def test_results_hold_neither_tensors_nor_arrays_that_can_be_written(spec: str, text: bytes) -> None:
    results = answers(spec, text)
    assert {type(result) for result in results} >= {Loaded, Explored, Scored, Reconciled}
    for result in results:
        assert list(improper(result, type(result).__name__)) == []


def test_what_must_not_cross_is_found_wherever_it_hides() -> None:
    import torch

    @dataclass(frozen=True, slots=True)
    class Slotted:
        inside: object

    class Plain:
        def __init__(self, inside: object) -> None:
            self.inside = inside

    frozen = np.zeros(3)
    frozen.flags.writeable = False
    assert list(improper(Slotted((Plain(frozen), "text", None)))) == []
    for hidden, word in ((np.zeros(3), "writable array"), (torch.zeros(3), "of torch"), ([1], "mutable list")):
        assert word in next(improper(Slotted((Plain(hidden),))))
        assert word in next(improper(Plain(Slotted(hidden))))
