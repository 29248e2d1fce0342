"""A job is carried through what a device can do to it: memory that runs out, and a device that dies.

The text is never in danger: it lives in the window, and each request carries the whole of it.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable

from arplay.core.errors import Problem, in_one_line
from arplay.core.waits import Interrupted
from arplay.engine.job import Steps
from arplay.engine.messages import Progress
from arplay.engine.state import State
from arplay.models import devices
from arplay.models.base import Report

RETRIES = 3
"""How often a job is begun again with a quarter of the chunk, say 64, 16, 4 tokens and one."""

_log = logging.getLogger(__name__)


def with_recovery(state: State, number: int, job: Callable[[], Steps], report: Report) -> Steps:
    """Run ``job()``; begin it again where that can help.

    Out of memory: every kept session is dropped and the text is read in smaller chunks; Problem with what did fit,
    after that. A dead device: the model is dropped and loaded again, once, as it was; Problem with the remedy if it
    dies again. A process that gave no answer and was ended, since the user cancelled: the next job loads the model
    again. A reload that is cancelled is taken up by the next job.
    """
    retries = deaths = 0
    while True:
        if state.lost is not None:
            yield Progress(number, f"{state.lost_with}; the model is loaded again", None)
            _load_again(state, report)
        state.pace.reached = 0
        try:
            return (yield from job())
        except Interrupted as interrupted:  # by the user, who cancelled; the next job loads the model again
            if interrupted.lost:
                state.lose(f"{interrupted.what} gave no answer and was ended")
            raise
        except Exception as error:
            if devices.out_of_memory(error):
                if retries == RETRIES or not state.pace.shrink():
                    _log.error("out of memory", exc_info=error)
                    raise _not_enough(state, error) from error
                retries += 1
                what = "memory ran out; reading in smaller chunks"
            elif devices.device_died(error):
                _log.error("the device died", exc_info=error)
                state.lose("the device failed")
                deaths += 1
                if deaths > 1:
                    state.lost = None
                    raise _dead("failed twice", error) from error
                what = "the device failed"
            else:
                raise
        # the exception is gone by now, and with it the frames that held tensors
        state.forget()
        if gc.isenabled():  # a window's own thread collects, and nothing of Qt may end in another one
            gc.collect()
        devices.release()
        yield Progress(number, what, None)


def _load_again(state: State, report: Report) -> None:
    assert state.lost is not None
    try:
        model = state.load(*state.lost, report)
    except Exception as error:
        state.lost = None
        raise _dead("failed and does not take the model again", error) from error
    state.use(model)


def _dead(what: str, error: Exception) -> Problem:
    remedy = "the text is kept; load the model with device cpu, or start arplay again"
    return Problem(f"the device {what} ({in_one_line(error)})", remedy)


def _not_enough(state: State, error: Exception) -> Problem:
    fits = f"about {state.pace.reached:,} tokens fit: shorten the text, or " if state.pace.reached else ""
    remedy = f"{fits}use a smaller model or number type" if fits else "use a smaller model or a shorter text"
    return Problem(f"there is not enough memory ({in_one_line(error)})", remedy)
