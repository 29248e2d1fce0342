"""A transformers folder, looked over before anything is loaded: everything wrong with it gets its own sentence."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from arplay.core.errors import Problem
from arplay.models.store.safetensors_file import BYTES, MAX_HEADER_BYTES, Tensor, check_safetensors

MAX_CONFIG_BYTES = 1024 * 1024
MAX_SIDE_BYTES = 16 * 1024 * 1024
MAX_VOCABULARY = 1 << 20
_BLOCK, _BLOCKS = 16 * 1024, 1024
ATTENTION = (None, "eager", "sdpa")
EXPERTS = (None, "eager", "batched_mm", "grouped_mm")

_OTHER_FILES = {
    "transformers_weights": "names a weight file of its own",
    "configuration_files": "points to another config",
    "fusion_config": "asks for patches of the model's code",
    "kernel_config": "asks for kernels from elsewhere",
    "use_kernels": "asks for kernels from elsewhere",
}
"""Fields of config.json through which transformers would read, fetch or patch something that was not looked over."""

_LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "decoder_layers", "num_decoder_layers")
_MODULES = re.compile(r"layers?$|layers?_|experts?$|blocks?$|depth")
_MOST = {"vocab_size": MAX_VOCABULARY, "chunk_size": 1024, "mamba_chunk_size": 1024, "attention_window_size": 1 << 16}
_MOST |= {"num_labels": 1 << 16, "_num_labels": 1 << 16}
"""Numbers that a forward allocates by, or that the config makes lists of, though no weight has that size."""

_SIDE_FILES = (
    "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "generation_config.json",
    "preprocessor_config.json", "processor_config.json",
)  # fmt: skip
_SIDE_FIELDS = {
    "init_inputs": "passes arguments of its own to the tokenizer",
    "fast_tokenizer_files": "points to other tokenizer files",
}


@dataclass(frozen=True)
class Folder:
    """A folder that passed: its configuration, its weight files and what their headers say of each tensor.

    ``has_code``: it comes with code of its own, which is never run.
    """

    path: Path
    config: dict[str, Any]
    weights: tuple[Path, ...]
    tensors: Mapping[str, Tensor]
    has_code: bool = False

    @property
    def family(self) -> str:
        return str(self.config["model_type"])

    @property
    def elements(self) -> int:
        """How many numbers the weights hold."""
        return sum(tensor.elements for tensor in self.tensors.values())

    @property
    def stored_dtype(self) -> str:
        """The number type that most of the weights are stored in, as torch calls it."""
        count: Counter[str] = Counter()
        for tensor in self.tensors.values():
            count[tensor.dtype] += BYTES[tensor.dtype] * tensor.elements
        names = {"F32": "float32", "BF16": "bfloat16", "F16": "float16", "F64": "float64"}
        return names.get(count.most_common(1)[0][0], "float32") if count else "float32"


def sizes(path: Path, config: Mapping[str, Any], bounds: Mapping[str, tuple[int, int]]) -> dict[str, int]:
    """The sizes that config.json says. Raises Problem for one that is no whole number within its bounds."""
    for key, (least, most) in bounds.items():
        value = config.get(key)
        if type(value) is not int or not least <= value <= most:
            cause = f"{path.name}/config.json says {key} is {str(value)[:20]}, not {least} to {most:,}"
            raise Problem(cause, "check that file")
    return {key: config[key] for key in bounds}


def inspect(path: Path, causal: bool = True) -> Folder:
    """Check ``path`` without importing torch. Raises Problem naming the file and the reason.

    ``causal``: whether it has to hold a causal language model of the transformers library, or a family of arplay's own.
    """
    try:
        if not path.is_dir():
            raise Problem(f"{path} is not a folder", "give the folder that holds config.json")
        config = configuration(path, causal)
        weights = _weights(path)
        tensors: dict[str, Tensor] = {}
        for file in weights:
            found = check_safetensors(file)
            if twice := found.keys() & tensors.keys():
                raise Problem(f"{file.name} holds {min(twice)} once more than it may", "fetch the model again")
            tensors |= found
        _refuse_sizes(path, config, len(tensors))
        beside = [_side_file(path, name) for name in _SIDE_FILES if (path / name).is_file()]
        has_code = names_code(config, *beside)
    except OSError as error:
        raise _unreadable(path, error) from error
    return Folder(path, config, weights, tensors, has_code)


def configuration(path: Path, causal: bool = True) -> dict[str, Any]:
    """The checked config.json of a folder whose weights need not be there yet. Raises Problem as :func:`inspect`."""
    try:
        config = _config(path)
    except OSError as error:
        raise _unreadable(path, error) from error
    _refuse_what_is_not_opened(path, config)
    if causal:
        refuse_what_is_not_causal(path, config)
    return config


def names_code(*contents: Any) -> bool:
    """Whether one of these JSON values names code of its own, at any depth."""
    return any(key == "auto_map" and value for content in contents for key, value in _fields(content))


def _unreadable(path: Path, error: OSError) -> Problem:
    return Problem(f"{error.filename or path} cannot be read ({error.strerror})", "check its permissions")


def _config(path: Path) -> dict[str, Any]:
    file = path / "config.json"
    if (path / "adapter_config.json").is_file():
        raise Problem(f"{path.name} is an adapter, only a change to another model", "merge it into its model and save")
    if not file.is_file():
        raise Problem(
            f"the folder {path.name} is no model folder (no config.json)", "choose a folder saved with save_pretrained"
        )
    config = _read_json(path, "config.json", MAX_CONFIG_BYTES)
    if not isinstance(config.get("model_type"), str):
        raise Problem(f"{path.name}/config.json cannot be read: it names no model_type", "fetch the model again")
    return config


def _read_json(path: Path, name: str, most: int) -> dict[str, Any]:
    file = path / name
    try:
        if file.stat().st_size > most:
            raise ValueError(f"larger than {most >> 20} MiB")
        content = json.loads(file.read_text("utf-8"))
        if not isinstance(content, dict):
            raise ValueError("it is no JSON object and names no model_type" if name == "config.json" else "no object")
    except (ValueError, RecursionError) as error:
        raise Problem(f"{path.name}/{name} cannot be read: {error}", "fetch the model again") from error
    return content


def _fields(content: Any) -> Iterator[tuple[str, Any]]:
    """Every key of a JSON value with what stands there, at any depth."""
    waiting = [content]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield from part.items()
        waiting += part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()


def _refuse_what_is_not_opened(path: Path, config: dict[str, Any]) -> None:
    name = path.name
    for key, value in _fields(config):
        if "attn_implementation" in key and value not in ATTENTION:
            raise Problem(f"{name}/config.json asks for attention {str(value)[:60]!r}", "remove that field")
        if "experts_implementation" in key and value not in EXPERTS:
            raise Problem(f"{name}/config.json asks for experts {str(value)[:60]!r}", "remove that field")
        if value and key in _OTHER_FILES:
            raise Problem(f"{name}/config.json {_OTHER_FILES[key]}", f"remove {key}")
        if value is not None and key in ("quantization_config", "compression_config"):
            raise Problem(f"{name} is quantised in a form that arplay does not open", "use its unquantised weights")


def refuse_what_is_not_causal(path: Path, config: dict[str, Any]) -> None:
    """Raise Problem for a configuration of the transformers library that is not of a causal language model."""
    name = path.name
    architectures = config.get("architectures") or []
    if config.get("is_encoder_decoder"):
        raise Problem(f"{name} is an encoder-decoder model", "arplay shows decoder-only (causal) models")
    if not isinstance(architectures, list) or not all(isinstance(entry, str) for entry in architectures):
        raise Problem(f"{name}/config.json has no list of architectures", "fetch the model again")
    sees_too = isinstance(config.get("text_config"), dict)  # a model of text and pictures, of which text is asked
    causal = any(
        "CausalLM" in entry or "LMHead" in entry or (sees_too and entry.endswith("ForConditionalGeneration"))
        for entry in architectures
    )
    if not causal or (config["model_type"] in ("bert", "roberta", "electra") and not config.get("is_decoder")):
        what = architectures[0] if architectures else "an unnamed architecture"
        raise Problem(
            f"{name} is {what[:60]}, not a causal language model", "choose a model that predicts the next token"
        )


def _refuse_sizes(path: Path, config: dict[str, Any], tensors: int) -> None:
    """Numbers of config.json that would make the library build or allocate more than the weights can fill.

    What remains (widths, heads) is compared with the weights by models/hf/skeleton.py, which allocates nothing either.
    """
    for key, value in _fields(config):
        if type(value) is not int:
            continue
        most = tensors if key in _LAYERS else 1 << 16 if _MODULES.search(key) else _MOST.get(key, 1 << 53)
        if not -(1 << 31) <= value <= most:
            reason = f"its weights are {tensors} tensors" if key in _LAYERS else f"at most {most:,} is possible"
            raise Problem(f"{path.name}/config.json says {key} is {str(value)[:20]}, but {reason}", "check that file")


def _side_file(path: Path, name: str) -> dict[str, Any]:
    content = _read_json(path, name, MAX_SIDE_BYTES)
    for key, value in _fields(content):
        if value and key in _SIDE_FIELDS:
            raise Problem(f"{path.name}/{name} {_SIDE_FIELDS[key]} ({key})", "arplay opens no such folder")
    return content


def _weights(path: Path) -> tuple[Path, ...]:
    single, index = path / "model.safetensors", path / "model.safetensors.index.json"
    if any(path.glob("shard-*-model-*-of-*.safetensors")):  # they would be read in place of model.safetensors
        raise Problem(f"{path.name} is a distributed training checkpoint", "export it with save_pretrained")
    if single.is_file():
        return (single,)
    if index.is_file():
        return _shards(path, index)
    if any(path.glob("*.bin")) or any(path.glob("*.pt*")):
        raise Problem(
            f"{path.name} has its weights as pickle files", "convert them to safetensors; pickles can run code"
        )
    raise Problem(f"{path.name} has no model.safetensors", "choose a folder with safetensors weights")


def _shards(path: Path, index: Path) -> tuple[Path, ...]:
    try:
        if index.stat().st_size > MAX_HEADER_BYTES:
            raise ValueError("it is too large")
        named = set(json.loads(index.read_text("utf-8"))["weight_map"].values())
        if not named or any(not isinstance(n, str) or not re.fullmatch(r"[\w-][\w.-]*\.safetensors", n) for n in named):
            raise ValueError("it names files outside the folder, or of another kind")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Problem(f"{index.name} cannot be read: {error}", "fetch the model again") from error
    files = tuple(path / name for name in sorted(named))
    for file in files:
        if not file.is_file():
            raise Problem(f"{path.name} lacks {file.name}", "the download is not complete; fetch the model again")
    return files


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
