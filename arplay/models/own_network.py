"""What loading has in common for the networks that arplay has trained itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from arplay.core.errors import Problem
from arplay.models.base import Info, Model, Report
from arplay.models.devices import Placement, choose, device_died, does_not_fit, machine, out_of_memory
from arplay.models.libraries import import_torch, threads
from arplay.models.store.folder import Folder, digest, inspect

M = TypeVar("M", bound=Model)


def placed(
    path: Path, device: str, dtype: str, report: Report, build: Callable[[Folder], Any]
) -> tuple[Folder, Placement, Any]:
    """The folder, where its network is, and the network there, as ``build`` reads it.

    Raises Problem where it fits on no device, and whatever ``report`` raises to cancel.
    """
    folder = inspect(path, causal=False)
    torch = import_torch(report)
    place = choose(machine(torch), device, dtype, path.name, folder.elements, folder.stored_dtype)
    if place.limits is not None:
        raise Problem(f"{path.name} does not fit on one device", "choose --device cpu")
    report(None, "reading the weights")
    try:
        network = build(folder).to(device=place.device, dtype=getattr(torch, place.dtype))
    except Exception as error:
        if out_of_memory(error) or device_died(error):
            raise does_not_fit(path.name, place.device) from error
        raise
    torch.set_num_threads(threads(folder.elements))
    return folder, place, network


def described(
    folder: Folder, family: str, name: str, place: Placement, vocabulary: int, engine: str, *why: str
) -> Info:
    """Of a network that has no context of its own; ``why``: what is to be said beside where it is."""
    return Info(
        name=name, family=family, source=str(folder.path), revision=digest(folder.weights), dtype=place.dtype,
        device=place.device, vocabulary=vocabulary, context=None, parameters=folder.elements, engine=engine,
        why="; ".join(filter(None, (place.why, *why))),
    )  # fmt: skip


def finite(model: M, first: Callable[[Sequence[int]], np.ndarray]) -> M:
    """The model. Raises Problem where its ``first`` logits, after nothing, are not numbers."""
    if np.isnan(first(())).any():
        name = Path(model.info.source).name
        raise Problem(f"the logits of {name} are not numbers (NaN)", "use float32, or train the model again")
    return model
