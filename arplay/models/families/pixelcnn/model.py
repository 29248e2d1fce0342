"""A PixelCNN as a model: chains of pixels in raster order, alone or side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from arplay.core.errors import Problem
from arplay.core.modalities.image import Raster
from arplay.models.base import Batch, Capabilities, Field, Info, Memory, Scores, check, frozen_scores, unscored
from arplay.models.batches import SideBySide
from arplay.models.families.pixelcnn.rows import Rows
from arplay.models.gradients import magnitudes
from arplay.models.scoring_rows import logprobs_of, score_rows
from arplay.models.sessions import Chain

if TYPE_CHECKING:
    from torch import Tensor

    from arplay.models.families.pixelcnn.network import Network

A_PASS = 24
"""Pixels that cost more one by one than a pass over the whole picture, about."""


class PixelCNN:
    """A loaded network. Its first pixel has a distribution, so every picture has a probability."""

    can = Capabilities(starts_empty=True, rewinds="cropped", batch=True, kept="rows kept", grows=False, field=True)

    def __init__(self, network: Network, info: Info, raster: Raster) -> None:
        self.network = network
        self.info = info
        self.alphabet = raster

    def memory(self) -> Memory:
        return Memory(sum(parameter.nbytes for parameter in self.network.parameters()))

    def session(self) -> PixelSession:
        return PixelSession(self)

    def batch(self, prefixes: Sequence[Sequence[int]]) -> Batch:
        return PixelBatch(self, prefixes)

    def teacher_forced(self, ids: Sequence[int]) -> NDArray[np.float64]:
        self.check(ids, 0)
        if not ids:
            return np.empty(0)
        with torch.inference_mode():
            return logprobs_of(torch, self._all(ids)[: len(ids)], ids)

    def uncached(self, ids: Sequence[int]) -> NDArray[np.floating]:
        self.check(ids, 0)
        self.check_open(len(ids))
        with torch.inference_mode():
            return frozen(self._all(ids)[len(ids)])

    def at_once(self, ids: Sequence[int], first: int) -> NDArray[np.floating]:
        self.check(ids, 0)
        with torch.inference_mode():
            return frozen(self._all(ids)[first : len(ids)])

    @property
    def wiring(self) -> str:
        return "the pixels that its masks connect" + (", with a blind spot" if self.network.config.stacks == 1 else "")

    def reads(self, index: int) -> NDArray[np.bool_]:
        sizes = self.network.config
        return sizes.receptive_field(*divmod(index, sizes.width)).ravel()[:index]

    def field(self, ids: Sequence[int]) -> Field:
        self.check(ids, 0)
        self.check_open(len(ids))
        n, sizes = len(ids), self.network.config
        planes = self._planes(ids)
        pixels = planes[0].flatten(1).T.clone().requires_grad_()
        with torch.enable_grad():
            gradient = magnitudes(self.network.of(pixels.T.view(planes.shape))[0].flatten(1)[:, n], pixels)[:n]
        return Field(self.reads(n), gradient, sizes.blind_spot(*divmod(n, sizes.width)).ravel()[:n])

    def _planes(self, ids: Sequence[int]) -> Tensor:
        """Of the whole picture; pixels to come are read as level 0."""
        sizes = self.network.config
        pixels = torch.zeros(sizes.height * sizes.width, dtype=torch.int64)
        pixels[: len(ids)] = torch.tensor([int(id) for id in ids], dtype=torch.int64)
        return self.network.planes(pixels.view(1, sizes.height, sizes.width).to(self.network.device))

    def _all(self, ids: Sequence[int]) -> Tensor:
        """The logits of every pixel, (H x W, V), by one pass; behind the given ones only the first means anything."""
        return self.network.of(self._planes(ids))[0].flatten(1).T

    def check(self, ids: Sequence[int], before: int) -> None:
        """Raise Problem for what cannot follow so many pixels."""
        check(self.info, [int(id) for id in ids])
        if before + len(ids) > self.alphabet.pixels:
            raise _complete()

    def check_open(self, length: int) -> None:
        """Raise Problem where all pixels are there."""
        if length == self.alphabet.pixels:
            raise _complete()


def _complete() -> Problem:
    return Problem("the picture is complete: no pixel comes next", "rewind, or clear the picture")


class PixelSession(Chain):
    """A chain of pixels and their features."""

    def __init__(self, model: PixelCNN) -> None:
        super().__init__(model.info)
        self._model = model
        self._rows = Rows(model.network, 1)

    @property
    def storages(self) -> Mapping[int, int]:
        return {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in self._rows.tensors}

    def extend(self, ids: Sequence[int]) -> Scores:
        given, at = self._given(ids), len(self._ids)
        if not given:
            return frozen_scores(unscored(0))
        with torch.inference_mode():
            if len(given) > A_PASS:
                self._put(given)
                found = self._rows.whole(len(self._ids))[0, at : at + len(given)]
            else:
                rows = []
                for id in given:
                    rows.append(self._rows.logits(len(self._ids))[0])
                    self._put([id])
                found = torch.stack(rows)
            return frozen_scores(score_rows(torch, found.contiguous(), given))

    def read(self, ids: Sequence[int]) -> None:
        given = self._given(ids)
        with torch.inference_mode():
            self._put(given)

    def rewind(self, length: int) -> None:
        super().rewind(length)
        self._rows.back(length)

    def branch(self) -> PixelSession:
        other = PixelSession(self._model)
        other._ids = self._ids.copy()
        with torch.inference_mode():
            other._rows = self._rows.chosen(torch.zeros(1, dtype=torch.int64, device=self._model.network.device))
        return other

    def logits(self) -> NDArray[np.floating]:
        self._model.check_open(len(self._ids))
        with torch.inference_mode():
            return frozen(_after(self._rows, len(self._ids))[0])

    def _given(self, ids: Sequence[int]) -> list[int]:
        given = self._checked(ids)
        self._model.check(given, len(self._ids))
        return given

    def _put(self, given: list[int]) -> None:
        self._rows.read(len(self._ids), torch.tensor([given], dtype=torch.int64, device=self._model.network.device))
        self._ids += given
        self.evaluated += len(given)


class PixelBatch(SideBySide):
    """Pictures whose pixels are read side by side."""

    def __init__(self, model: PixelCNN, prefixes: Sequence[Sequence[int]]) -> None:
        self._model = model
        self._rows: Rows | None = None
        super().__init__(model.info, prefixes)

    def _after(self, ids: Sequence[tuple[int, ...]]) -> NDArray[np.floating]:
        model, before = self._model, self._length - len(ids[0])
        for each in ids:
            model.check(each, before)
        model.check_open(self._length)
        with torch.inference_mode():
            if self._rows is None:
                self._rows = Rows(model.network, len(ids))
            self._rows.read(
                before, torch.tensor(ids, dtype=torch.int64, device=model.network.device).view(len(ids), -1)
            )
            return frozen(_after(self._rows, self._length))

    def _follow(self, parents: list[int]) -> None:
        assert self._rows is not None
        with torch.inference_mode():
            self._rows = self._rows.chosen(torch.tensor(parents, device=self._model.network.device))


def _after(rows: Rows, length: int) -> Tensor:
    """The logits of the pixel behind the first ``length``, (B, V); by a pass where much of them is not computed yet."""
    return rows.whole(length)[:, length] if length - rows.done > A_PASS else rows.logits(length)


def frozen(logits: Tensor) -> NDArray[np.floating]:
    """As float32 that cannot be written."""
    found: NDArray[np.floating] = logits.float().cpu().numpy().copy()
    found.flags.writeable = False
    return found
