"""Ask a hub about a model and download it, in a killable child process that runs the hub's own client.

Both are generators for a worker, as in ``engine/fetch.py``: each step waits 50 ms at most. The child
(``python -m arplay.models.store.hub_client``) gets the user's own environment, so ``HF_TOKEN``, ``HF_HOME``,
``HF_ENDPOINT``, ``HF_HUB_OFFLINE`` and proxies are honoured, and is killed at once when the work is cancelled. What it
has of a file stays in the hub's cache, and the next download goes on from there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

from arplay.core.errors import Problem
from arplay.engine.child import Child
from arplay.engine.children import POLL_SECONDS, watched, why_ended
from arplay.engine.fetch import Speed
from arplay.engine.messages import Progress
from arplay.models import libraries
from arplay.models.store import hub
from arplay.models.store.cards import Card

_SOURCE = Path(__file__).resolve().parents[2]
_ENVIRONMENT = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_XET": "1",  # plain HTTP: a file goes on where it was cut, and progress comes in small steps
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "PYTHONUNBUFFERED": "1",
}


def describe(
    spec: str, cancelled: Callable[[], bool], pause: float = POLL_SECONDS
) -> Generator[None, None, Card | None]:
    """The card of a hub's model before anything is downloaded; ``download_bytes`` is what is still to be fetched.

    None once it was cancelled. Raises Problem for a name that is none, and for all that models/store/hub_problems.py
    tells apart.
    """
    answer: dict[str, Any] = {}
    for message in _answers("describe", spec, cancelled, pause):
        answer = message.get("card", answer)
        yield
    if not answer and not cancelled():
        raise Problem(f"the hub's client said nothing of {spec}", "try again")
    return Card(**answer | {"path": Path(answer["path"])}) if answer else None


def fetch(spec: str, cancelled: Callable[[], bool], pause: float = POLL_SECONDS) -> Generator[Progress, None, None]:
    """Download a model into the hub's cache, telling progress. The last value has fraction 1.0 exactly if it is there.

    Ends early and quietly once ``cancelled()`` is true or the generator is closed. Raises Problem.
    """
    state = Progress(0, f"asking the hub for {spec}", None)
    speed = Speed()
    ready = False
    for message in _answers("download", spec, cancelled, pause):
        if "what" in message:
            done, total = message.get("done"), message.get("total")
            fraction = min(done / total, 0.999) if done is not None and total else None
            state = Progress(0, message["what"], fraction, done, total, *speed.of(done, total))
        ready = ready or "ready" in message
        yield state
    if ready:
        yield Progress(0, f"{spec} is ready", 1.0)


def _answers(action: str, spec: str, cancelled: Callable[[], bool], pause: float) -> Iterator[dict[str, Any]]:
    """What the child says, object by object ({} where it is silent); ends early once cancelled."""
    if hub.parse(spec) is None:
        raise Problem(f"{spec} is not the name of a hub model", "a name is org/name, or org/name@revision")
    command = [sys.executable, "-m", "arplay.models.store.hub_client", action, spec]
    child = Child(command, _SOURCE, libraries.environment() | _ENVIRONMENT)
    yield from watched(child, cancelled, pause)
    if not cancelled() and (status := child.poll()):
        raise why_ended("downloading", spec, status, child.output(), "get the model again; it goes on where it stopped")
