"""A transformers folder, looked over before anything is loaded: everything wrong with it gets its own sentence."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from arplay.core.errors import Problem

MAX_CONFIG_BYTES = 1024 * 1024
MAX_HEADER_BYTES = 100 * 1024 * 1024
MAX_VOCABULARY = 1 << 20
ATTENTION = (None, "eager", "sdpa")


@dataclass(frozen=True)
class Folder:
    """A folder that passed: its configuration and its weight files."""

    path: Path
    config: dict[str, Any]
    weights: tuple[Path, ...]

    @property
    def family(self) -> str:
        return str(self.config["model_type"])


def inspect(path: Path) -> Folder:
    """Check ``path`` without importing torch. Raises Problem naming the file and the reason."""
    try:
        if not path.is_dir():
            raise Problem(f"{path} is not a folder", "give the folder that holds config.json")
        config = _config(path)
        _refuse_other_architectures(path, config)
        weights = _weights(path)
        for file in weights:
            check_safetensors(file)
    except OSError as error:
        raise Problem(f"{error.filename or path} cannot be read ({error.strerror})", "check its permissions") from error
    return Folder(path, config, weights)


def check_safetensors(file: Path) -> None:
    """Compare a safetensors header with the file's size (the format's own definition): a cut file is told here."""
    size = file.stat().st_size
    try:
        with file.open("rb") as stream:
            if size < 8:
                raise ValueError(f"it has only {size} bytes")
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > min(MAX_HEADER_BYTES, size):
                raise ValueError("its header is longer than the file")
            header = json.loads(stream.read(length))
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        if 8 + length + max(ends, default=0) != size:
            raise ValueError(f"it has {size} bytes, its header promises {8 + length + max(ends, default=0)}")
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise Problem(f"{file.name} is damaged or cut off: {error}", "fetch the model again") from error


def _config(path: Path) -> dict[str, Any]:
    file = path / "config.json"
    if (path / "adapter_config.json").is_file():
        raise Problem(f"{path.name} is an adapter, only a change to another model", "merge it into its model and save")
    if not file.is_file():
        raise Problem(f"{path.name} is no model folder (no config.json)", "choose a folder saved with save_pretrained")
    try:
        if file.stat().st_size > MAX_CONFIG_BYTES:
            raise ValueError("larger than 1 MiB")
        config = json.loads(file.read_text("utf-8"))
        if not isinstance(config, dict) or not isinstance(config.get("model_type"), str):
            raise ValueError("it names no model_type")
    except (ValueError, RecursionError) as error:
        raise Problem(f"{path.name}/config.json cannot be read: {error}", "fetch the model again") from error
    return config


def _refuse_other_architectures(path: Path, config: dict[str, Any]) -> None:
    name = path.name
    if "auto_map" in config:
        raise Problem(f"{name} wants to run code of its own (auto_map)", "arplay runs no code from model folders")
    parts = [config, *(part for part in config.values() if isinstance(part, dict))]
    for part, key in product(parts, ("attn_implementation", "_attn_implementation")):
        if part.get(key) not in ATTENTION:
            raise Problem(f"{name}/config.json asks for attention {part[key]!r}", "remove that field")
    if "transformers_weights" in config:
        raise Problem(f"{name}/config.json names a weight file of its own", "remove transformers_weights")
    if config.get("quantization_config") is not None:
        raise Problem(f"{name} is quantised in a form that arplay does not open", "use its unquantised weights")
    architectures = config.get("architectures") or []
    if config.get("is_encoder_decoder"):
        raise Problem(f"{name} is an encoder-decoder model", "arplay shows decoder-only (causal) models")
    if not isinstance(architectures, list) or not all(isinstance(entry, str) for entry in architectures):
        raise Problem(f"{name}/config.json has no list of architectures", "fetch the model again")
    causal = any("CausalLM" in entry or "LMHead" in entry for entry in architectures)
    if not causal or (config["model_type"] in ("bert", "roberta", "electra") and not config.get("is_decoder")):
        what = architectures[0] if architectures else "an unnamed architecture"
        raise Problem(f"{name} is {what}, not a causal language model", "choose a model that predicts the next token")


def _weights(path: Path) -> tuple[Path, ...]:
    single, index = path / "model.safetensors", path / "model.safetensors.index.json"
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
        if not named or any(not isinstance(n, str) or "/" in n or "\\" in n or n.startswith(".") for n in named):
            raise ValueError("it names files outside the folder")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Problem(f"{index.name} cannot be read: {error}", "fetch the model again") from error
    files = tuple(path / name for name in sorted(named))
    for file in files:
        if not file.is_file():
            raise Problem(f"{path.name} lacks {file.name}", "the download is not complete; fetch the model again")
    return files
