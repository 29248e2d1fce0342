"""Looking after a child process: what it says on the way, a JSON object a line, and why it ended."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Generator, Iterator
from typing import Any

from arplay.core.errors import Problem
from arplay.engine.child import Child

POLL_SECONDS = 0.05
_NOTHING_KEPT = "get the model again; nothing was kept"


def watched(child: Child, cancelled: Callable[[], bool], pause: float) -> Generator[dict[str, Any], None, None]:
    """What a child says as JSON objects, a line each ({} at every look: other lines are warnings of its libraries).

    It looks every ``pause`` seconds, until the child ends or ``cancelled()`` is true; the child is ended with it.
    Raises Problem where the child tells one.
    """
    try:
        while child.poll() is None:
            yield from _objects(child.lines())
            yield {}
            time.sleep(pause)
            if cancelled():
                return
    finally:
        child.end()
    yield from _objects(child.lines())


def _objects(lines: list[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            message = json.loads(line)
        except ValueError:
            continue
        if isinstance(message, dict):
            if "problem" in message:
                raise Problem(message["problem"]["cause"], message["problem"]["remedy"])
            yield message


def why_ended(doing: str, name: str, status: int, output: str, remedy: str = _NOTHING_KEPT) -> Problem:
    """Why a child ended with ``status`` (-N: by signal N), as far as its output says."""
    if status < 0:
        which = signal.Signals(-status).name
        return Problem(f"{doing} {name} was killed from outside ({which})", remedy)
    said = [line for line in output.splitlines() if line.strip()]
    errors = [line for line in said if line.startswith("ERROR")] or said[-1:]
    last = errors[-1].removeprefix("ERROR: ")[:200] if errors else f"exit status {status}"
    return Problem(f"{doing} {name} failed: {last}", remedy)
