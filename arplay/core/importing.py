"""How many modules are imported at once: without a look for garbage, as none of what they make is."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Python collects no garbage in here. It would walk all that is imported so far again and again: a tenth of the
    time of ``import torch``.

    >>> with uncollected():
    ...     gc.isenabled()
    False
    """
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()
