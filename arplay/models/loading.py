"""Loading a transformers folder: what it may be, where it runs, and a proof that its numbers mean what they should."""

from __future__ import annotations

import hashlib
import inspect as signatures
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from arplay.core.errors import Problem
from arplay.models.alphabets import open_tokenizer
from arplay.models.base import Info, Report
from arplay.models.causal_lm import CausalLM
from arplay.models.folder import MAX_VOCABULARY, Folder, inspect

FEW_PARAMETERS = 30_000_000
"""A network with fewer runs on one thread: its matrices are too small to share, and where another program keeps a core
busy the threads wait for each other (a step of 7 M parameters: 144 ms on two threads, 25 ms on one)."""

_BLOCK, _BLOCKS = 16 * 1024, 1024


def load(path: Path, name: str, device: str, dtype: str, report: Report) -> CausalLM:
    """Load a transformers folder. ``device`` and ``dtype`` as the user chose them, or "auto".

    Raises Problem for anything that would load silently wrong or run code (see models/folder.py), and whatever
    ``report`` raises to cancel.
    """
    folder = inspect(path)
    report(None, "importing torch")
    torch = _import_torch()
    _all_threads()
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
    parameters = sum(parameter.numel() for parameter in network.parameters())
    torch.set_num_threads(1 if parameters < FEW_PARAMETERS else _all_threads())
    size = _proved(torch, network, path.name)
    report(1.0, "opening the tokenizer")
    alphabet = open_tokenizer(path, size)
    text_config = network.config.get_text_config()
    context = getattr(text_config, "max_position_embeddings", None)
    info = Info(
        name=name,
        family=folder.family,
        source=str(path),
        revision=digest(folder.weights),
        dtype=str(kind).removeprefix("torch."),
        device=where,
        vocabulary=size,
        context=int(context) if context else None,
        parameters=parameters,
    )
    return CausalLM(network, alphabet, info)


def _import_torch() -> Any:
    if "torch" not in sys.modules:
        os.environ.setdefault("DISABLE_SAFETENSORS_CONVERSION", "1")
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import torch

    return torch


@cache
def _all_threads() -> int:
    """As many threads as torch takes by itself, asked before any model was loaded."""
    import torch

    return torch.get_num_threads()


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


def digest(files: Sequence[Path]) -> str:
    """Twelve hex digits that name the weights in ``files``.

    sha256 over each file's size and 1,024 blocks of 16 KiB spread evenly over it: every byte of a file up to 16 MiB, a
    part of every large tensor of any other.
    """
    found = hashlib.sha256()
    for file in files:
        size = file.stat().st_size
        found.update(f"{size}\n".encode())
        starts = [size * i // _BLOCKS for i in range(_BLOCKS + 1)]
        with file.open("rb") as stream:
            for start, end in pairwise(starts):
                stream.seek(start)
                found.update(stream.read(min(_BLOCK, end - start)))
    return found.hexdigest()[:12]
