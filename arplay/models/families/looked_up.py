"""What a model has in common that looks its distributions up: a prefix is all that its sessions keep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from arplay.core.chain import BEST
from arplay.core.distribution import Distribution
from arplay.core.distribution import entropy as shannon
from arplay.core.errors import Problem
from arplay.core.orders import joint_of
from arplay.models.base import Capabilities, Info, Memory, Scores, check, frozen_scores, unscored
from arplay.models.batches import OneByOne
from arplay.models.sessions import Chain
from arplay.schema import Wrong
from arplay.textfile import read_json

Made = TypeVar("Made", bound="LookedUp")


def read_written(path: Path, most_bytes: int, make: Callable[[Any], Made]) -> Made:
    """The model that ``make`` makes of what a person has written in JSON. Raises Problem that names what is wrong."""
    try:
        return make(read_json(path, most_bytes))
    except OSError as error:
        raise Problem(f"{path.name} cannot be read ({error.strerror or error})", "check its permissions") from error
    except (Wrong, Problem) as problem:
        raise Problem(f"{path.name}: {problem.cause}", problem.remedy) from problem
    except ValueError as error:
        raise Problem(
            f"{path.name} cannot be read as JSON ({error})", "see the built-in abc.json and xo.json"
        ) from error


def info_of(name: str, family: str, source: str, digest: str, vocabulary: int, parameters: int, why: str = "") -> Info:
    """Of a model that is looked up in a table. ``digest``: hex digits that name its content."""
    return Info(
        name=name,
        family=family,
        source=source,
        revision=digest[:12],
        dtype="float64",
        device="cpu",
        vocabulary=vocabulary,
        context=None,
        parameters=parameters,
        engine="table",
        why=why,
    )


class LookedUp:
    """A model that looks its distributions up, in float64: a table, a joint, counts of n-grams."""

    info: Info

    @property
    def can(self) -> Capabilities:
        return Capabilities(starts_empty=True, rewinds="none", batch=False)

    def logprobs(self, ids: Sequence[int]) -> NDArray[np.float64]:
        """log p(next | ids) in nats, shape (V,), read-only."""
        raise NotImplementedError

    def memory(self) -> Memory:
        return Memory(8 * (self.info.parameters or 0))

    def session(self) -> LookedUpSession:
        return LookedUpSession(self)

    def batch(self, prefixes: Sequence[Sequence[int]]) -> OneByOne:
        return OneByOne(self.info, self.session, prefixes)

    def uncached(self, ids: Sequence[int]) -> NDArray[np.floating]:
        check(self.info, ids)
        return self.logprobs(ids)


class Written(LookedUp):
    """One whose distributions a person has written, so that all of a short chain's can be listed."""

    @property
    def can(self) -> Capabilities:
        return replace(super().can, joint=self.joint)

    def joint(self, n: int) -> NDArray[np.float64]:
        """log p of every chain of n tokens in nats, shape (V,) * n."""
        return joint_of(self.logprobs, len(self.logprobs(())), n)


class LookedUpSession(Chain):
    """A prefix; what is looked up needs no cache."""

    def __init__(self, model: LookedUp) -> None:
        super().__init__(model.info)
        self._model = model

    def extend(self, ids: Sequence[int]) -> Scores:
        given = self._checked(ids)
        logprob, rank, entropy, best_ids, best = found = unscored(len(given))
        for i, id in enumerate(given):
            row = self._model.logprobs(self._ids)
            next_token = Distribution(len(row), row)
            logprob[i], entropy[i] = next_token.logprobs[id], shannon(next_token.logprobs)
            rank[i] = next_token.rank(id) or 0
            top = next_token.top(BEST)
            best_ids[i, : len(top)], best[i, : len(top)] = top, next_token.logprobs[top]
            self._ids.append(id)
        self.evaluated += len(given)
        return frozen_scores(found)

    def branch(self) -> LookedUpSession:
        other = LookedUpSession(self._model)
        other._ids = self._ids.copy()
        return other

    def logits(self) -> NDArray[np.floating]:
        return self._model.logprobs(self._ids)
