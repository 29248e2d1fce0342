"""Damaged and hostile model folders, aware of the formats: a case is a function of its kind and number alone.

A folder is a dict of file names and bytes. ``outside`` stands in texts for a folder beside the model's, which no
model may make anybody read, and ``evil.py`` is code that leaves a file there if it ever runs.
"""

from __future__ import annotations

import json
import random
import struct
import tomllib
from collections.abc import Callable
from typing import Any

import numpy as np

from tests import fuzz_gguf, fuzz_texts
from tests.fuzz_values import (
    COMPONENTS,
    FAMILY_NAMES,
    HOSTILE,
    JUNK,
    NUMBERS,
    OUTSIDE,
    TOKENIZER_CLASSES,
    TOKENS_HOSTILE,
    places,
)

Files = dict[str, bytes]
STATE = "state.safetensors"
WEIGHTS, INDEX, CONFIG, TOKENS = "model.safetensors", "model.safetensors.index.json", "config.json", "tokenizer.json"
TOKENS_CONFIG = "tokenizer_config.json"
EVIL = f"open({OUTSIDE + '/ran'!r}, 'w').close()\nclass Model: pass\nModel.from_pretrained = Model\n".encode()


def mutated(kind: str, number: int, bases: dict[str, Files]) -> Files:
    """Case ``number`` of a kind: one of ``bases`` (by name, sorted), changed one to three times."""
    rng = random.Random(f"{kind} {number}")
    of_kind, changes = KINDS[kind]
    name = rng.choice(sorted(name for name in bases if of_kind(name)))
    files = dict(bases[name]) | {"evil.py": EVIL}
    for _ in range(rng.choice((1, 1, 2, 3))):
        rng.choice(changes)(rng, files)
    return files


def edit(files: Files, name: str, change: Callable[[Any], Any]) -> None:
    """Change a JSON file; one that a former change has broken stays as it is."""
    try:
        content = json.loads(files[name])
        changed = change(content)
        files[name] = json.dumps(content if changed is None else changed).encode("utf-8", "replace")
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return


def damage(name: str) -> Callable[[random.Random, Files], None]:
    """Bytes lost, changed or put in, anywhere in a file."""

    def change(rng: random.Random, files: Files) -> None:
        if name not in files:
            return
        data = bytearray(files[name])
        at = rng.randrange(len(data) + 1)
        match rng.randrange(6):
            case 0:
                del data[at:]
            case 1:
                del data[at : at + rng.choice((1, 8, 100))]
            case 2:
                data[at:at] = rng.randbytes(rng.choice((1, 8, 100)))
            case 3:
                for _ in range(rng.choice((1, 4, 16))):
                    if data:
                        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            case 4:
                data = bytearray(rng.choice((b"", b"null", b"[]", b"{}", b"\xff\xfe", b"[" * 20_000, b'{"a":' * 3000)))
            case 5:
                data[at : at + 8] = struct.pack("<Q", rng.choice((0, 1, 2**31, 2**40, 2**63, 2**64 - 1)))
        files[name] = bytes(data)

    return change


def replace_in(name: str) -> Callable[[random.Random, Files], None]:
    """One value of a JSON file becomes junk, goes away, or changes places with another."""

    def change(rng: random.Random, files: Files) -> None:
        def swap(content: Any) -> None:
            all_places = places(content)
            part, key = rng.choice(all_places)
            match rng.randrange(4):
                case 0 | 1:
                    part[key] = rng.choice(JUNK)
                case 2:
                    del part[key]
                case 3:
                    other, its = rng.choice(all_places)
                    part[key], other[its] = json.loads(json.dumps(other[its])), json.loads(json.dumps(part[key]))

        edit(files, name, swap)

    return change


# --- config.json


def _number(rng: random.Random, files: Files) -> None:
    def change(config: Any) -> None:
        known = [key for key in NUMBERS if key in config]
        key = rng.choice(known if known and rng.random() < 0.8 else NUMBERS)
        config[key] = rng.choice(JUNK[:18]) if rng.random() < 0.8 else int(config.get(key) or 1) + rng.choice((-1, 1))

    edit(files, CONFIG, change)


def _hostile(rng: random.Random, files: Files) -> None:
    edit(files, CONFIG, lambda config: config.update(rng.choice(HOSTILE)))


def _other_family(rng: random.Random, files: Files) -> None:
    edit(files, CONFIG, lambda config: config.update(model_type=rng.choice(FAMILY_NAMES)))


# --- safetensors

SAME_SIZE = {"F32": ("I32", "U32"), "I32": ("F32",), "U32": ("F32",)}
TYPES = {"F64": np.float64, "F16": np.float16, "I64": np.int64, "U8": np.uint8, "BOOL": np.bool_, "I8": np.int8}


def unpack(data: bytes) -> tuple[dict[str, Any], bytes]:
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    return header, data[8 + length :]


def pack(header: dict[str, Any], body: bytes) -> bytes:
    text = json.dumps(header).encode("utf-8", "replace")
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + body


def _header(rng: random.Random, files: Files) -> None:
    """One change of what the header says."""
    try:
        header, body = unpack(files[WEIGHTS])
        tensors = [entry for name, entry in header.items() if name != "__metadata__"]
        one, two = rng.choice(tensors), rng.choice(tensors)
        name = rng.choice([name for name in header if name != "__metadata__"])
        match rng.randrange(14):
            case 0:
                one["dtype"] = rng.choice(SAME_SIZE.get(one["dtype"], ("F32",)))
            case 1:
                one["dtype"] = rng.choice(("F64", "BF16", "F8_E4M3", "F4", "C64", "", 7, None))
            case 2:
                one["shape"] = one["shape"][::-1]
            case 3:
                one["shape"] = rng.choice(([], [-1], [0], [2**63], [2**32, 2**32], [1] * 70, "x", None, [1.5], [True]))
            case 4:
                one["data_offsets"], two["data_offsets"] = two["data_offsets"], one["data_offsets"]
            case 5:
                one["data_offsets"] = rng.choice(([0, 0], [-4, 0], [0, 2**63], [8, 4], [0], "xy", None, [0, 4, 8]))
            case 6:
                header[name + rng.choice((".x", "\x00", " ", "é"))] = header.pop(name)
            case 7:
                header["model.norm.extra.weight"] = dict(one)
            case 8:
                header["empty"] = {"dtype": "F32", "shape": [0, 10**9], "data_offsets": [len(body), len(body)]}
            case 9:
                header["__metadata__"] = rng.choice(
                    ({"format": "tf"}, {}, {"format": 1}, None, [], {"a": "b" * 10_000})
                )
            case 10:
                one["shape"] = [1, *one["shape"]]
            case 11:
                one["shape"] = [int(np.prod(one["shape"]))]
            case 12:
                header.pop("__metadata__", None)
            case 13:
                header |= {f"more.{i}": {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]} for i in range(2000)}
        files[WEIGHTS] = pack(header, body)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, struct.error):
        return


def _numbers_within(rng: random.Random, files: Files) -> None:
    """Some weights become NaN, infinite, huge, tiny or noise; some are stored as another type."""
    try:
        header, body = unpack(files[WEIGHTS])
        name = rng.choice([name for name in header if name != "__metadata__"])
        begin, end = header[name]["data_offsets"]
        values = np.frombuffer(body[begin:end], np.float32).copy()
        match rng.randrange(4):
            case 0:
                values[rng.randrange(len(values))] = rng.choice((np.nan, np.inf, -np.inf, 3e38, 1e-45))
            case 1:
                values[:] = rng.choice((0.0, 1e30, np.nan, -np.inf, 1e-30))
            case 2:
                values = np.frombuffer(rng.randbytes(len(values) * 4), np.float32).copy()
            case 3:
                kind = rng.choice(sorted(TYPES))
                with np.errstate(all="ignore"):
                    changed = values.astype(TYPES[kind]).tobytes()
                header[name] |= {"dtype": kind, "data_offsets": [begin, begin + len(changed)]}
                for other, entry in header.items():
                    if other not in ("__metadata__", name) and entry["data_offsets"][0] >= end:
                        entry["data_offsets"] = [at + len(changed) - (end - begin) for at in entry["data_offsets"]]
                files[WEIGHTS] = pack(header, body[:begin] + changed + body[end:])
                return
        files[WEIGHTS] = pack(header, body[:begin] + values.tobytes() + body[end:])
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, struct.error):
        return


def _rewritten(rng: random.Random, files: Files) -> None:
    """The same network in another file: other weights of that size, another number type or order, more metadata."""
    try:
        header, body = unpack(files[WEIGHTS])
        noise = np.random.default_rng(rng.randrange(2**32))
        names = [name for name in header if name != "__metadata__"]
        if any(header[name]["dtype"] != "F32" for name in names):
            return
        kind = rng.choice(("F32", "F32", "F16", "BF16", "F64"))
        if rng.random() < 0.5:
            rng.shuffle(names)
        made, parts, at = {"__metadata__": {"format": "pt", "made": "x" * rng.randrange(2000)}}, list[bytes](), 0
        for name in names:
            begin, end = header[name]["data_offsets"]
            values = np.frombuffer(body[begin:end], np.float32)
            values = (values + noise.normal(0, rng.choice((0.0, 1e-3, 0.05)), len(values))).astype(np.float32)
            halves = (values.view(np.uint32) >> 16).astype(np.uint16)
            data = (halves if kind == "BF16" else values.astype({"F16": "f2", "F64": "f8"}.get(kind, "f4"))).tobytes()
            made[name] = header[name] | {"dtype": kind, "data_offsets": [at, at + len(data)]}
            parts.append(data)
            at += len(data)
        files[WEIGHTS] = pack(made, b"".join(parts))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, struct.error):
        return


def _harmless(rng: random.Random, files: Files) -> None:
    """Keys that mean nothing to a network, and files that nobody asked for."""
    name = rng.choice((CONFIG, CONFIG, "generation_config.json", "notes.txt", "chat_template.jinja"))
    if name != CONFIG:
        files[name] = json.dumps({"temperature": rng.random(), "x": "y" * rng.randrange(99)}).encode()
        return
    more = {f"x_{rng.randrange(99)}": rng.choice((1, 0.5, "x", None, [1, 2], {"a": 1}, True)), "use_cache": True}
    edit(files, CONFIG, lambda config: config.update(more | {"return_dict": True}))


def _sharded(rng: random.Random, files: Files) -> None:
    """Two shards and an index, which is then changed too."""
    try:
        header, body = unpack(files.pop(WEIGHTS))
        names = [name for name in header if name != "__metadata__"]
        split = rng.randrange(len(names))
        weight_map: dict[str, Any] = {}
        for shard, of in (("a.safetensors", names[:split]), ("b.safetensors", names[split:])):
            made, parts, at = {}, [], 0
            for name in of:
                begin, end = header[name]["data_offsets"]
                made[name] = header[name] | {"data_offsets": [at, at + end - begin]}
                parts.append(body[begin:end])
                at += end - begin
                weight_map[name] = shard
            files[shard] = pack(made | {"__metadata__": {"format": "pt"}}, b"".join(parts))
        files[INDEX] = json.dumps({"metadata": {"total_size": len(body)}, "weight_map": weight_map}).encode()
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, struct.error):
        return
    one = rng.choice(names)
    match rng.randrange(8):
        case 0:
            edit(files, INDEX, lambda index: index["weight_map"].update({one: rng.choice(JUNK)}))
        case 1:
            edit(files, INDEX, lambda index: index["weight_map"].update({one: f"{OUTSIDE}/model.safetensors"}))
        case 2:
            edit(files, INDEX, lambda index: index["weight_map"].pop(one))
        case 3:
            edit(files, INDEX, lambda index: index["weight_map"].update({"none.weight": "a.safetensors"}))
        case 4:
            edit(files, INDEX, lambda index: index.update(metadata=rng.choice(JUNK)))
        case 5:
            files.pop("b.safetensors")
        case 6:
            files["b.safetensors"] = files["a.safetensors"]


# --- tokenizers


def _component(rng: random.Random, files: Files) -> None:
    key = rng.choice(sorted(COMPONENTS))
    edit(files, TOKENS, lambda made: made.update({key: rng.choice(COMPONENTS[key])}))


def _vocabulary(rng: random.Random, files: Files) -> None:
    def change(made: Any) -> None:
        vocab, merges = made["model"]["vocab"], made["model"]["merges"]
        word = rng.choice(sorted(vocab))
        match rng.randrange(6):
            case 0:
                vocab[word] = rng.choice(JUNK)
            case 1:
                del vocab[word]
            case 2:
                vocab.update({f"new {i}": len(vocab) + i for i in range(rng.choice((1, 1000)))})
            case 3:
                merges[rng.randrange(len(merges))] = rng.choice((*JUNK, ["a"], ["a", "b", "c"], ["zz", "yy"], "a b c"))
            case 4:
                rng.shuffle(merges)
            case 5:
                vocab[word], vocab["Ġ"] = vocab["Ġ"], vocab[word]

    edit(files, TOKENS, change)


def _tokenizer_class(rng: random.Random, files: Files) -> None:
    def change(config: Any) -> None:
        config["tokenizer_class"] = rng.choice(TOKENIZER_CLASSES)

    edit(files, TOKENS_CONFIG, change)
    if rng.random() < 0.5:
        _without_json(rng, files)


def _without_json(rng: random.Random, files: Files) -> None:
    """No tokenizer.json: vocab.json and merges.txt, or something like a sentencepiece model."""
    try:
        model = json.loads(files.pop(TOKENS))["model"]
        merges = "\n".join(
            ["#version: 0.2", *(pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"])]
        )
        tokens = b"".join(_token(word, -float(id)) for word, id in model["vocab"].items())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return
    match rng.randrange(3):
        case 0:
            files |= {"vocab.json": json.dumps(model["vocab"]).encode(), "merges.txt": merges.encode()}
        case 1:
            files |= {
                "vocab.json": json.dumps(rng.choice(JUNK)).encode("utf-8", "replace"),
                "merges.txt": rng.randbytes(99),
            }
        case 2:
            files["tokenizer.model"] = tokens
            damage("tokenizer.model")(rng, files)


def _token(word: str, score: float) -> bytes:
    """A sentencepiece ModelProto's token (field 1): its text, score and type."""
    text = word.encode("utf-8", "replace")[:100]
    inner = b"\x0a" + bytes([len(text)]) + text + b"\x15" + struct.pack("<f", score)
    return b"\x0a" + bytes([len(inner)]) + inner


def _tokens_hostile(rng: random.Random, files: Files) -> None:
    edit(files, TOKENS_CONFIG, lambda config: config.update(rng.choice(TOKENS_HOSTILE)))


def _beside(rng: random.Random, files: Files) -> None:
    """Other files that a tokenizer or a model may be read from."""
    name = rng.choice(
        ("special_tokens_map.json", "added_tokens.json", "generation_config.json", "vocab.json", "chat_template.jinja")
    )
    files[name] = json.dumps(rng.choice((*JUNK, *TOKENS_HOSTILE, {"<new>": 10**9}))).encode("utf-8", "replace")


# --- other files


def spoil(name: str) -> Callable[[random.Random, Files], None]:
    """Values of a JSON or TOML file are changed, or its bytes."""

    def change(rng: random.Random, files: Files) -> None:
        data = files.get(name, b"{}")
        try:
            many_dots = data.count(b".") > 2000  # for a key of which the parser itself takes 300 MiB
            if rng.random() < 0.3 or many_dots or name.endswith("txt"):
                files[name] = fuzz_texts.damaged(rng, data)
            elif name.endswith("toml"):
                spoilt = fuzz_texts.to_toml(fuzz_texts.spoilt(rng, tomllib.loads(data.decode())))
                files[name] = spoilt.encode("utf-8", "surrogatepass")
            elif name.endswith("jsonl"):
                lines = data.splitlines()
                at = rng.randrange(len(lines))
                lines[at] = json.dumps(fuzz_texts.spoilt(rng, json.loads(lines[at]))).encode()
                files[name] = b"\n".join(lines) + b"\n"
            else:
                files[name] = json.dumps(fuzz_texts.spoilt(rng, json.loads(data))).encode()
        except (ValueError, RecursionError, IndexError, TypeError, AttributeError):
            return  # a former change has broken it

    return change


def _problem(rng: random.Random, files: Files) -> None:
    files["problem.json"] = json.dumps({"cause": "the disk is full", "remedy": "make room"}).encode()
    spoil("problem.json")(rng, files)


def _state(rng: random.Random, files: Files) -> None:
    """What a checkpoint says of the run, which stands in the header of its weights."""
    try:
        header, body = unpack(files[STATE])
        state = json.loads(header["__metadata__"]["run"])
        state[rng.choice(sorted(state))] = rng.choice(JUNK)
        header["__metadata__"]["run"] = rng.choice((json.dumps(state), json.dumps(rng.choice(JUNK)), "x", "[" * 9000))
        files[STATE] = pack(header, body)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, struct.error):
        return


def of(name: str, change: Callable[[random.Random, Files], None]) -> Callable[[random.Random, Files], None]:
    """A change of model.safetensors, done to another file."""

    def changed(rng: random.Random, files: Files) -> None:
        renamed = {WEIGHTS: files[name]}
        change(rng, renamed)
        files[name] = renamed[WEIGHTS]

    return changed


Change = Callable[[random.Random, Files], None]


def _is_folder(base: str) -> bool:
    return base not in ("gguf", "files", "run")


KINDS: dict[str, tuple[Callable[[str], bool], tuple[Change, ...]]] = {
    "odd": (_is_folder, (*(_rewritten,) * 6, *(_harmless,) * 3, _sharded)),
    "config": (
        _is_folder,
        (_number, _number, _number, _hostile, _hostile, _other_family, replace_in(CONFIG), damage(CONFIG)),
    ),
    "weights": (
        _is_folder,
        (_header, _header, _header, _numbers_within, _numbers_within, _sharded, damage(WEIGHTS)),
    ),
    "tokenizer": (
        lambda name: name == "llama",
        (_component, _vocabulary, _tokenizer_class, _tokens_hostile, _beside, replace_in(TOKENS), damage(TOKENS)),
    ),
    "gguf": (
        lambda name: name == "gguf",
        (
            *(fuzz_gguf.change_header,) * 3,
            *(fuzz_gguf.change_body,) * 2,
            damage(fuzz_gguf.FILE),
        ),
    ),
    **{
        name.partition(".")[0]: (lambda base: base == "files", (spoil(name),))
        for name in ("recipe.toml", "prompts.toml", "trace.json", "table.json", "session.jsonl", "text.txt")
    },
    "run": (lambda name: name == "run", (spoil("plan.json"), spoil("log.jsonl"), _problem)),
    "checkpoint": (
        lambda name: name == "run",
        (_state, of(STATE, _header), of(STATE, _header), of(STATE, _numbers_within), damage(STATE)),
    ),
}
