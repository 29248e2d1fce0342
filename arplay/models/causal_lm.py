"""Any causal transformer that the transformers library knows, behind the Session contract; owns the KV cache."""

from __future__ import annotations

import hashlib
import inspect as signatures
import os
import sys
from collections.abc import Callable, Iterator, Sequence
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
    report(1.0, f"moving to {where}")
    try:
        network = network.to(where).eval()
    except (torch.OutOfMemoryError, RuntimeError) as error:
        raise Problem(f"the model does not fit on {where} ({error})", "choose --device cpu") from error
    report(1.0, "proving the model")
    size = _proved(torch, network, path.name)
    report(1.0, "opening the tokenizer")
    alphabet = open_tokenizer(path, size)
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
                logits = self.network(input_ids=given, use_cache=False, **self.keep(rows)).logits[0]
                if not self._keeps:
                    logits = logits[rows]
                loss = torch.nn.functional.cross_entropy(logits.float(), chosen[rows], reduction="none")
                result[1 + low : 1 + low + len(rows)] = -loss.double().cpu().numpy()
        return result

    def keep(self, rows: torch.Tensor | int) -> dict[str, Any]:
        """The argument that asks for the logits of some rows (or the last few) only, where the network takes it."""
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
                self._forward(torch, self._back_one(), 1)
        assert self._next is not None
        result: NDArray[np.floating] = self._next.float().cpu().numpy()
        result.flags.writeable = False
        return result

    def _extend_some(self, torch: Any, given: list[int]) -> tuple[NDArray[Any], ...]:
        """Read a few pieces in one forward and score each by the logits of the piece before it."""
        replay = self._back_one() if self._ids and self._next is None else []
        before = self._next
        logits = self._forward(torch, replay + given, len(given) + bool(replay))
        self._ids += given
        if replay:
            before, logits = logits[0], logits[1:]
        if before is None:
            scores = _score(torch, logits[:-1], given[1:])
            return tuple(np.concatenate(pair) for pair in zip(_unscored(1), scores, strict=True))
        return _score(torch, torch.cat([before[None], logits[:-1]]), given)

    def _forward(self, torch: Any, ids: list[int], keep: int) -> Any:
        """Read ``ids`` after what the cache holds; logits after the last ``keep`` of them, shape (keep, V)."""
        model = self._model
        given = torch.tensor([ids], device=model.info.device)
        cache, read = self._cache, self._read
        self._cache, self._read, self._next = None, 0, None  # a forward that fails may leave half a cache
        out = model.network(input_ids=given, past_key_values=cache, use_cache=True, **model.keep(keep))
        self._cache, self._read = out.past_key_values, read + len(ids)
        logits = out.logits[0, -keep:]
        self._next = logits[-1].clone()  # a view would hold all of the rows
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
    logits = logits.float()
    logprobs = torch.log_softmax(logits, dim=-1)
    chosen = torch.tensor(ids, device=logits.device)[:, None]
    mine = logprobs.gather(1, chosen)
    if bool(torch.isnan(mine).any()):
        raise Problem("the model's logits are not numbers (NaN)", "use float32, or another model")
    # ranks compare logits: subtracting the norm in 32 bits would make equals of neighbours
    its = logits.gather(1, chosen)
    lower = torch.arange(logits.shape[1], device=logits.device)[None] < chosen
    rank = 1 + ((logits > its) | ((logits == its) & lower)).sum(dim=1)
    entropy = 0.0 - torch.nan_to_num_(logprobs.exp().mul_(logprobs)).sum(dim=1)  # 0 log 0 = 0
    best_ids = _best(torch, logits)
    best = logprobs.gather(1, best_ids)
    missing = BEST - best.shape[1]
    return (
        mine[:, 0].double().cpu().numpy(),
        rank.cpu().numpy(),
        entropy.double().cpu().numpy(),
        np.pad(best_ids.cpu().numpy(), ((0, 0), (0, missing)), constant_values=-1),
        np.pad(best.double().cpu().numpy(), ((0, 0), (0, missing)), constant_values=-np.inf),
    )


def _best(torch: Any, logits: torch.Tensor) -> torch.Tensor:
    """Ids of the best five of each row, shape (n, 5 or V), ties by id (``topk`` breaks them as it likes)."""
    size = logits.shape[1]
    values, ids = logits.topk(min(BEST + 1, size), dim=1)
    ids = ids[:, :BEST]
    if size > BEST:
        tied = values[:, BEST - 1] == values[:, BEST]  # the last of the five has an equal outside
        for row in tied.nonzero().flatten().tolist():
            near = (logits[row] >= values[row, BEST]).nonzero().flatten()
            ids[row] = near[logits[row, near].sort(descending=True, stable=True).indices[:BEST]]
    ids = ids.sort(dim=1).values
    return ids.gather(1, logits.gather(1, ids).sort(dim=1, descending=True, stable=True).indices)


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
    if dtype not in ("float32", "bfloat16", "float16"):
        raise Problem(f"there is no number type {dtype} here", "use float32, bfloat16 or float16")
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
    loading_bar = _Bars(report)
    former = logging.set_tqdm_hook(loading_bar)
    try:
        network, loading = auto.from_pretrained(
            str(folder.path),
            trust_remote_code=False,
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
            dtype=dtype,  # attention: sdpa, or eager where a family has no other; folder.py allows nothing else
        )
    except Exception as error:  # a damaged folder raises anything, from SafetensorError to IndexError
        if error is loading_bar.stopped:
            raise
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise Problem(f"{folder.path.name} cannot be loaded: {lines[0][:200]}", "check the folder") from error
    finally:
        logging.set_tqdm_hook(former)
    prefix = f"{network.base_model_prefix}."
    unused = [key for key in map(str, loading["unexpected_keys"]) if key.startswith(prefix) and key.endswith(".weight")]
    for wrong, what in (
        (loading["missing_keys"], "lacks {} weights, which would be random numbers"),
        (loading["mismatched_keys"], "has the wrong shape for {} weights"),
        (unused, "holds {} weights that its config.json has no place for"),
    ):
        if wrong:
            raise Problem(
                f"{folder.path.name} {what.format(len(wrong))} ({min(map(str, wrong))})", "fetch the model again"
            )
    return network


class _Bars:
    """Makes what stands where transformers would draw its progress bars; ``report`` may raise to cancel the load."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self.stopped: BaseException | None = None

    def __call__(self, factory: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Bar:
        return _Bar(self.tell, *args, **kwargs)

    def tell(self, fraction: float) -> None:
        try:
            self._report(fraction, "loading weights")
        except BaseException as error:
            self.stopped = error
            raise


class _Bar:
    def __init__(self, tell: Callable[[float], None], items: Sequence[Any], **_: Any) -> None:
        self._tell, self._items = tell, items

    def __iter__(self) -> Iterator[Any]:
        for i, item in enumerate(self._items):
            self._tell(i / len(self._items))
            yield item


def _proved(torch: Any, network: Any, name: str) -> int:
    """V, the length of the logits, from three small forwards that prove what everything here stands on.

    Raises Problem unless the model is causal (a piece's logits do not change with what follows), its cache continues
    exactly, and its logits are numbers.
    """
    remedy = "choose a model that predicts the next token from a key-value cache"
    takes_cache = "past_key_values" in signatures.signature(network.forward).parameters
    if not takes_cache or getattr(network, "_is_stateful", False):
        raise Problem(f"{name} keeps a recurrent state, which arplay does not open yet", remedy)
    try:
        given = torch.arange(3, device=network.device)[None] % network.config.get_text_config().vocab_size
        with torch.inference_mode():
            whole = network(input_ids=given, use_cache=False).logits[0].float()
            first = network(input_ids=given[:, :1], use_cache=True)
            then = network(input_ids=given[:, 1:], past_key_values=first.past_key_values, use_cache=True)
            gap = (torch.cat([first.logits[0], then.logits[0]]).float() - whole).abs()
    except Exception as error:  # the library's own code runs here on a config it did not check
        raise Problem(f"{name} does not run ({type(error).__name__}: {error})", "check its config.json") from error
    if bool(torch.isnan(whole).any()):
        raise Problem(f"the logits of {name} are not numbers (NaN)", "use float32, or fetch the model again")
    allowed = (1e-4 if whole.dtype == network.dtype else 0.1) * float(whole.abs().max())
    if float(gap[0].max()) > allowed:
        raise Problem(f"{name} looks at the pieces to come, so it is no causal language model", remedy)
    if float(gap.max()) > allowed:
        raise Problem(f"the cache of {name} does not continue where it stopped", remedy)
    if whole.shape[1] > MAX_VOCABULARY:
        raise Problem(f"a vocabulary of {whole.shape[1]:,} is more than arplay opens", f"at most {MAX_VOCABULARY:,}")
    return int(whole.shape[1])


def _digest(folder: Folder) -> str:
    """Twelve hex digits that name these weights: sha256 of sizes and of the first megabyte of every file."""
    digest = hashlib.sha256()
    for file in folder.weights:
        digest.update(str(file.stat().st_size).encode())
        with file.open("rb") as stream:
            digest.update(stream.read(1 << 20))
    return digest.hexdigest()[:12]
