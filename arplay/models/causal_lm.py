"""Any causal transformer that the transformers library knows, behind the Session contract; owns the KV cache."""

from __future__ import annotations

import hashlib
import inspect as signatures
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from arplay.core.chain import BEST
from arplay.core.errors import Problem
from arplay.models.alphabets import TokenizerAlphabet, open_tokenizer
from arplay.models.base import Info, Report, Scores
from arplay.models.folder import MAX_VOCABULARY, Folder, inspect
from arplay.models.tabular import frozen_scores

if TYPE_CHECKING:
    import torch

LOGITS_BYTES = 64 * 1024 * 1024
"""No forward holds more logits than this at once."""


def load(path: Path, name: str, device: str, dtype: str, report: Report) -> CausalLM:
    """Load a transformers folder. ``device`` and ``dtype`` as the user chose them, or "auto".

    Raises Problem for anything that would load silently wrong or run code (see models/folder.py), and whatever
    ``report`` raises to cancel.
    """
    folder = inspect(path)
    report(None, "importing torch")
    torch = _torch()
    where = _device(torch, device)
    kind = _dtype(torch, dtype, where, folder)
    report(None, "importing the model class")
    network = _network(torch, folder, kind, report)
    size = int(network.get_output_embeddings().weight.shape[0])
    if size > MAX_VOCABULARY:
        raise Problem(f"a vocabulary of {size:,} is more than arplay opens", f"at most {MAX_VOCABULARY:,}")
    report(1.0, "opening the tokenizer")
    alphabet = open_tokenizer(path, size)
    report(1.0, f"moving to {where}")
    try:
        network = network.to(where).eval()
    except (torch.OutOfMemoryError, RuntimeError) as error:
        raise Problem(f"the model does not fit on {where} ({error})", "choose --device cpu") from error
    text_config = network.config.get_text_config()
    context = getattr(text_config, "max_position_embeddings", None)
    info = Info(
        name=name,
        family=folder.family,
        source=str(path),
        revision=_digest(folder),
        dtype=str(kind).removeprefix("torch."),
        device=where,
        vocabulary=size,
        context=int(context) if context else None,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
    )
    return CausalLM(network, alphabet, info)


class CausalLM:
    """A loaded transformer."""

    starts_empty = False

    def __init__(self, network: Any, alphabet: TokenizerAlphabet, info: Info) -> None:
        self.network = network
        self.alphabet = alphabet
        self.info = info
        self.rows = max(1, LOGITS_BYTES // (4 * info.vocabulary))
        self._keeps = "logits_to_keep" in signatures.signature(network.forward).parameters

    def session(self) -> CausalSession:
        return CausalSession(self)

    def check(self, ids: Sequence[int], before: int = 0) -> None:
        """Refuse what the device must not see: too many pieces, or ids outside the vocabulary."""
        context = self.info.context
        if context is not None and before + len(ids) > context:
            raise Problem(f"the context is full ({context:,} pieces)", "shorten the text or use a longer context")
        if ids and not 0 <= min(ids) <= max(ids) < self.info.vocabulary:
            raise Problem(f"an id is outside the vocabulary of {self.info.vocabulary:,}", "re-tokenise the text")

    def teacher_forced(self, ids: Sequence[int]) -> NDArray[np.float64]:
        """-cross_entropy of torch over one forward without cache; element 0 is NaN (no p(x_1)).

        The last piece is scored, not read: a full window and the piece behind it fit. Where the logits would not
        fit the bound the pass is repeated for a part of the rows at a time.
        """
        torch = _torch()
        self.check(ids[:-1])
        self.check(ids[-1:])
        result = np.full(len(ids), np.nan)
        n = len(ids) - 1
        with torch.inference_mode():
            given = torch.tensor([list(ids[:-1])], device=self.info.device)
            chosen = torch.tensor(list(ids[1:]), device=self.info.device)
            step = n if not self._keeps else self.rows
            for low in range(0, n, max(1, step)):
                rows = torch.arange(low, min(n, low + step), device=self.info.device)
                logits = self.network(input_ids=given, use_cache=False, **self._keep(rows)).logits[0]
                if not self._keeps:
                    logits = logits[rows]
                loss = torch.nn.functional.cross_entropy(logits.float(), chosen[rows], reduction="none")
                result[1 + low : 1 + low + len(rows)] = -loss.double().cpu().numpy()
        return result

    def _keep(self, rows: torch.Tensor) -> dict[str, Any]:
        return {"logits_to_keep": rows} if self._keeps else {}


class CausalSession:
    """A chain in the model's KV cache. A cache of plain layers is cropped on rewind; any other is built anew."""

    starts_empty = False

    def __init__(self, model: CausalLM) -> None:
        self._model = model
        self._ids: list[int] = []
        self._cache: Any = None
        self._read = 0  # pieces in the cache; at most len(self._ids)
        self._next: torch.Tensor | None = None  # logits after self._ids, shape (V,)

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(self._ids)

    @property
    def cache_bytes(self) -> int:
        layers = getattr(self._cache, "layers", ())
        tensors = (getattr(layer, name, None) for layer in layers for name in ("keys", "values"))
        return sum(t.numel() * t.element_size() for t in tensors if t is not None)

    def extend(self, ids: Sequence[int]) -> Scores:
        given = [int(id) for id in ids]
        self._model.check(given, len(self._ids))
        torch = _torch()
        rows = self._model.rows
        with torch.inference_mode():
            parts = [self._extend_some(torch, given[low : low + rows]) for low in range(0, len(given), rows)]
        if not parts:
            return frozen_scores(*_unscored(0))
        return frozen_scores(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    def rewind(self, length: int) -> None:
        if not 0 <= length <= len(self._ids):
            raise ValueError(f"cannot rewind {len(self._ids)} pieces to {length}")
        if length == len(self._ids):
            return
        del self._ids[length:]
        self._next = None
        self._crop(length)

    def logits(self) -> NDArray[np.floating]:
        torch = _torch()
        if not self._ids:
            raise Problem("this model gives no distribution of a first piece", "type something, or choose BOS or EOS")
        if self._next is None:
            with torch.inference_mode():
                self._forward(torch, self._back_one())
        assert self._next is not None
        result: NDArray[np.floating] = self._next.float().cpu().numpy()
        result.flags.writeable = False
        return result

    def _extend_some(self, torch: Any, given: list[int]) -> tuple[NDArray[Any], ...]:
        """Read a few pieces in one forward and score each by the logits of the piece before it."""
        replay = self._back_one() if self._ids and self._next is None else []
        before = self._next
        logits = self._forward(torch, replay + given)
        self._ids += given
        if replay:
            before, logits = logits[len(replay) - 1], logits[len(replay) :]
        if before is None:
            scores = _score(torch, logits[:-1], given[1:])
            return tuple(np.concatenate(pair) for pair in zip(_unscored(1), scores, strict=True))
        return _score(torch, torch.cat([before[None], logits[:-1]]), given)

    def _forward(self, torch: Any, ids: list[int]) -> torch.Tensor:
        """Read ``ids`` after what the cache holds; logits of shape (len(ids), V)."""
        model = self._model
        given = torch.tensor([ids], device=model.info.device)
        out = model.network(input_ids=given, past_key_values=self._cache, use_cache=True)
        self._cache = out.past_key_values
        self._read += len(ids)
        logits: torch.Tensor = out.logits[0]
        self._next = logits[-1]
        return logits

    def _back_one(self) -> list[int]:
        """The ids that must be read (again) to have the logits after the chain: usually the last one."""
        self._crop(len(self._ids) - 1)
        return self._ids[self._read :]

    def _crop(self, length: int) -> None:
        extra = self._read - length
        if extra <= 0:
            return
        if _croppable(self._cache) and length > 0:
            self._cache.crop(-extra)
            self._read = length
        else:
            self._cache, self._read = None, 0


def _croppable(cache: Any) -> bool:
    """Only plain growing layers are: sliding and recurrent states forget what a rewind would need."""
    from transformers.cache_utils import DynamicLayer

    layers = getattr(cache, "layers", ())
    return len(layers) > 0 and all(type(layer) is DynamicLayer for layer in layers)


def _score(torch: Any, logits: torch.Tensor, ids: list[int]) -> tuple[NDArray[Any], ...]:
    """log p, rank (ties by id), entropy and the best five of each row; logits of shape (n, V)."""
    if not ids:
        return _unscored(0)
    logprobs = torch.log_softmax(logits.float(), dim=-1)
    chosen = torch.tensor(ids, device=logits.device)[:, None]
    mine = logprobs.gather(1, chosen)
    if bool(torch.isnan(mine).any()):
        raise Problem("the model's logits are not numbers (NaN)", "use float32, or another model")
    lower = torch.arange(logprobs.shape[1], device=logits.device)[None] < chosen
    rank = 1 + ((logprobs > mine) | ((logprobs == mine) & lower)).sum(dim=1)
    entropy = torch.special.entr(logprobs.exp()).sum(dim=1)
    best, best_ids = logprobs.topk(min(BEST, logprobs.shape[1]), dim=1)
    missing = BEST - best.shape[1]
    return (
        mine[:, 0].double().cpu().numpy(),
        rank.cpu().numpy(),
        entropy.double().cpu().numpy(),
        np.pad(best_ids.cpu().numpy(), ((0, 0), (0, missing)), constant_values=-1),
        np.pad(best.double().cpu().numpy(), ((0, 0), (0, missing)), constant_values=-np.inf),
    )


def _unscored(n: int) -> tuple[NDArray[Any], ...]:
    return (
        np.full(n, np.nan),
        np.zeros(n, dtype=np.int64),
        np.full(n, np.nan),
        np.full((n, BEST), -1, dtype=np.int64),
        np.full((n, BEST), -np.inf),
    )


def _torch() -> Any:
    if "torch" not in sys.modules:
        os.environ.setdefault("DISABLE_SAFETENSORS_CONVERSION", "1")
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import torch

    return torch


def _device(torch: Any, device: str) -> str:
    available = {
        "cuda": torch.cuda.is_available,
        "mps": torch.backends.mps.is_available,
        "xpu": torch.xpu.is_available,
        "cpu": lambda: True,
    }
    if device == "auto":
        return next(name for name, there in available.items() if there())
    if device not in available or not available[device]():
        raise Problem(f"there is no device {device} here", "use --device auto or cpu")
    return device


def _dtype(torch: Any, dtype: str, device: str, folder: Folder) -> Any:
    """auto: float32 on the CPU (exact, and often the fastest there), the weights' own type on an accelerator."""
    if dtype == "auto":
        stored = folder.config.get("dtype") or folder.config.get("torch_dtype")
        dtype = stored if device != "cpu" and stored in ("bfloat16", "float16") else "float32"
    return getattr(torch, dtype)


def _network(torch: Any, folder: Folder, dtype: Any, report: Report) -> Any:
    import tqdm
    import transformers

    auto: Any = transformers.AutoModelForCausalLM
    logging: Any = transformers.utils.logging
    for architecture in folder.config["architectures"]:
        getattr(transformers, architecture, None)  # transformers imports the class at this first use
    tqdm.tqdm.monitor_interval = 0  # no monitor thread is left behind
    logging.set_verbosity_error()
    report(None, "reading the weights")
    former = logging.set_tqdm_hook(lambda factory, args, kwargs: _Loading(report, *args, **kwargs))
    try:
        network, loading = auto.from_pretrained(
            str(folder.path),
            trust_remote_code=False,
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
            attn_implementation="sdpa",
            dtype=dtype,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, ImportError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise Problem(f"{folder.path.name} cannot be loaded: {lines[0]}", "check the folder") from error
    finally:
        logging.set_tqdm_hook(former)
    for key, what in (("missing_keys", "lacks"), ("mismatched_keys", "has the wrong shape for")):
        if wrong := sorted(map(str, loading[key])):
            raise Problem(
                f"{folder.path.name} {what} {len(wrong)} weights ({wrong[0]}, ...)",
                "they would be random numbers; fetch the model again",
            )
    return network


class _Loading:
    """Stands where transformers would draw its progress bar; ``report`` may raise to cancel the load."""

    def __init__(self, report: Report, items: Sequence[Any], **_: Any) -> None:
        self._report, self._items = report, items

    def __iter__(self) -> Iterator[Any]:
        for i, item in enumerate(self._items):
            self._report(i / len(self._items), "loading weights")
            yield item


def _digest(folder: Folder) -> str:
    """Twelve hex digits that name these weights: sha256 of sizes and of the first megabyte of every file."""
    digest = hashlib.sha256()
    for file in folder.weights:
        digest.update(str(file.stat().st_size).encode())
        with file.open("rb") as stream:
            digest.update(stream.read(1 << 20))
    return digest.hexdigest()[:12]
