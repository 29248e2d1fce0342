"""Train a small network in each of two orders of one joint, in a child process, and compare them."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from arplay.core.distribution import LN2
from arplay.core.modalities.base import Document
from arplay.core.orders import listed
from arplay.core.reading import Reading
from arplay.core.two_orders import TwoOrders, apart, pair
from arplay.engine.child import Child
from arplay.engine.children import watched, why_ended
from arplay.engine.job import Pause, Steps
from arplay.engine.messages import Progress, Question, Result
from arplay.engine.state import State
from arplay.models.base import Info

MODULE = "arplay.training.two_orders"
LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class TrainOrders(Question):
    """``names``: of two orders of the document's tokens (:func:`arplay.core.two_orders.pair`); None: the usual two."""

    document: Document
    names: tuple[str, str] | None = None
    reading: Reading = Reading()
    seed: int = 0


@dataclass(frozen=True, eq=False, slots=True)
class OrdersTrained(Result):
    document: Document
    info: Info
    found: TwoOrders


def train_orders(state: State, request: TrainOrders) -> Steps:
    """Raises Problem where the joint is not known, or has no two orders, and where the child fails."""
    model = state.current()
    encoded = state.encode(request.document, model.alphabet, request.reading.special)
    found = listed(model.info.name, model.can.joint, len(state.tokens), encoded)
    assert model.can.joint is not None
    both, joint = pair(found, request.names), model.can.joint(len(found.ids))
    with tempfile.TemporaryDirectory(prefix="arplay-orders-") as name:
        folder, progress = Path(name), Progress(request.number, "starting to train", 0.0)
        np.save(folder / "joint.npy", joint)
        orders = json.dumps([each.order for each in both])
        command = [sys.executable, "-m", MODULE, str(folder), str(request.seed), orders]
        child = Child(command, Path(__file__).resolve().parents[2], os.environ)
        with closing(watched(child, lambda: False, 0)) as messages:
            for message in messages:
                if message:
                    what = f"training {both[message['network']].label}"
                    progress = Progress(request.number, what, message["fraction"])
                else:
                    yield progress
                    yield Pause(LOOK_SECONDS)
        learned = folder / "learned.npz"
        if (status := child.poll()) or not learned.is_file():
            raise why_ended("training", "two networks", status or 0, child.output(), "try it again")
        with np.load(learned, allow_pickle=False) as arrays:
            first, second = arrays["first"], arrays["second"]
            parameters, chains = int(arrays["parameters"]), int(arrays["chains"])
    here = [0.0 - float(each[found.ids]) / LN2 for each in (joint, first, second)]
    trained = TwoOrders(
        (both[0].label, both[1].label), (both[0].order, both[1].order), parameters, chains, request.seed,
        apart(joint, first, second), (here[1], here[2]), here[0],
    )  # fmt: skip
    return OrdersTrained(request.number, request.document, model.info, trained)
