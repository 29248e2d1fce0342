"""How the large libraries are imported into this process: off the network, and on how many threads they compute."""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import Any

from arplay.core.importing import uncollected
from arplay.models.base import Report

FEW_PARAMETERS = 30_000_000
"""A network with fewer runs on one thread: its matrices are too small to share, and where another program keeps a core
busy the threads wait for each other (a step of 7 M parameters: 144 ms on two threads, 25 ms on one)."""

_QUIET = {"DISABLE_SAFETENSORS_CONVERSION": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_OFFLINE": "1"}

_set_by_us: set[str] = set()


def keep_offline() -> None:
    """Keep the libraries of this process off the network (before they are imported); the user's own words stay."""
    for key, value in _QUIET.items():
        if key not in os.environ:
            os.environ[key] = value
            _set_by_us.add(key)


def environment() -> dict[str, str]:
    """The user's own environment, without what :func:`keep_offline` added for this process."""
    return {key: value for key, value in os.environ.items() if key not in _set_by_us}


def import_torch(report: Report) -> Any:
    report(None, "importing torch")
    if "torch" not in sys.modules:
        keep_offline()
    with uncollected():
        import torch

    _all_threads()
    return torch


def threads(parameters: int) -> int:
    """Threads for a network of that many parameters."""
    return 1 if parameters < FEW_PARAMETERS else _all_threads()


@cache
def _all_threads() -> int:
    """As many threads as torch takes by itself, asked before any model was loaded."""
    import torch

    return torch.get_num_threads()
