"""A pipeline as the ``GenerationConfig`` of transformers, and back: its names, its order."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from arplay.core.decoding.bias import id_of, read_ban, read_bias
from arplay.core.decoding.pipeline import Pipeline
from arplay.core.errors import Problem
from arplay.core.modalities.base import TokenSet

NAMES = {
    "repetition": "repetition_penalty",
    "no-repeat": "no_repeat_ngram_size",
    "min-length": "min_new_tokens",
    "temperature": "temperature",
    "top-h": "top_h",
    "top-k": "top_k",
    "top-p": "top_p",
    "min-p": "min_p",
    "typical": "typical_p",
    "epsilon": "epsilon_cutoff",
    "eta": "eta_cutoff",
}
"""Stages of one number by their names there, in the order in which transformers has them."""

ORDER = ("bias", "repetition", "no-repeat", "ban", "min-length", *list(NAMES)[3:], "greedy")


def to_config(pipeline: Pipeline, tokens: TokenSet | None = None) -> tuple[dict[str, Any], list[str]]:
    """The fields of a GenerationConfig, and a sentence for each thing that it cannot say. Raises Problem.

    >>> to_config(Pipeline("temperature:0.7,top-k:40"))
    ({'do_sample': True, 'temperature': 0.7, 'top_k': 40}, [])
    >>> to_config(Pipeline("top-k:40,temperature:0.7,dry:0.8"))[1]
    ['dry has no place there and is left out', 'transformers applies its stages in another order']
    """
    greedy = pipeline.has("greedy")
    said: dict[str, Any] = {"do_sample": not greedy}
    notes: list[str] = []
    if not greedy and not pipeline.has("top-k"):
        said["top_k"] = 0  # else it takes 50
    for name, values in pipeline.stages:
        if name == "bias":
            biases = read_bias(str(values[0])).items()
            said["sequence_bias"] = [[[id_of(token, tokens)], value] for token, value in biases]
        elif name == "ban":
            said["bad_words_ids"] = [[id_of(token, tokens)] for token in read_ban(str(values[0]))]
        elif name in NAMES:
            said[NAMES[name]] = values[0]
            if name == "repetition" and values[1]:
                notes.append(f"it penalises all tokens of the text, not the last {values[1]:,.0f} alone")
        elif name != "greedy":
            notes.append(f"{name} has no place there and is left out")
    names = [name for name, _ in pipeline.stages]
    notes += [
        f"{name} can be there once: the last one counts" for name in dict.fromkeys(names) if names.count(name) > 1
    ]
    places = [ORDER.index(name) for name in names if name in ORDER]
    if places != sorted(places):
        notes.append("transformers applies its stages in another order")
    return said, notes


def is_config(said: Mapping[str, Any]) -> bool:
    """Whether these may be fields of a GenerationConfig."""
    return bool(said.keys() & {*NAMES.values(), "do_sample", "sequence_bias", "bad_words_ids", "transformers_version"})


def from_config(said: Mapping[str, Any]) -> tuple[Pipeline, list[str]]:
    """The pipeline that a GenerationConfig means, and a sentence for each field that is not taken over. Raises Problem.

    >>> pipeline, notes = from_config({"do_sample": True, "temperature": 0.6, "top_p": 0.9, "num_beams": 4})
    >>> pipeline.spelled, notes
    ('temperature:0.6,top-p:0.9', ['num_beams is not taken over'])
    """
    stages: list[tuple[str, tuple[Any, ...]]] = []
    for name in ORDER:
        if name == "bias" and said.get("sequence_bias"):
            stages.append(("bias", (_biases(said["sequence_bias"]),)))
        elif name == "ban" and said.get("bad_words_ids"):
            stages.append(("ban", (_banned(said["bad_words_ids"]),)))
        elif name in NAMES and said.get(NAMES[name]) is not None:
            stages.append((name, (said[NAMES[name]],)))
    if said.get("do_sample") is not True:
        stages.append(("greedy", ()))
    known = {*NAMES.values(), "do_sample", "sequence_bias", "bad_words_ids", *_SILENT}
    notes = [f"{str(name)[:60]} is not taken over" for name, value in said.items() if name not in known and value]
    return Pipeline(tuple(stages)), notes


_SILENT = ("transformers_version", "_from_model_config", "bos_token_id", "eos_token_id", "pad_token_id")
"""What says nothing of decoding, or what the model itself says."""


def _biases(said: Any) -> str:
    try:
        pairs = [([*map(int, key)], value) for key, value in said.items()] if isinstance(said, Mapping) else said
        done = {f"#{ids[0]}": float(value) for ids, value in pairs if len(ids) == 1 and math.isfinite(value)}
        if len(done) == len(pairs):
            return json.dumps(done)
    except (TypeError, ValueError, KeyError, IndexError, OverflowError):
        pass
    raise Problem("sequence_bias names something else than single tokens", "only a bias of one token can be taken over")


def _banned(said: Any) -> str:
    try:
        if all(len(ids) == 1 and isinstance(ids[0], int) for ids in said):
            return json.dumps([f"#{ids[0]}" for ids in said])
    except (TypeError, KeyError):
        pass
    raise Problem("bad_words_ids names something else than single tokens", "only single tokens can be banned")
