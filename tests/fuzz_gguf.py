"""Damaged GGUF files: the header is taken apart, changed in one place and put together again."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field

FILE = "case.gguf"
SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
STRING, ARRAY = 8, 9
HOSTILE_NUMBERS = (0, 1, 2, 3, 5, 31, 255, 2**16, 10**6, 10**9, 2**31 - 1, 2**31, 2**40, 2**63 - 1, 2**64 - 1)
NAMES = (
    b"general.architecture", b"general.alignment", b"general.file_type", b"llama.vocab_size", b"llama.expert_count",
    b"llama.rope.scaling.type", b"llama.rope.dimension_count", b"llama.attention.key_length", b"split.count",
    b"tokenizer.chat_template", b"tokenizer.ggml.add_bos_token", b"tokenizer.ggml.bos_token_id", b"x" * 70_000, b"",
    b"llama.attention.sliding_window", b"general.quantization_version", b"tokenizer.ggml.eos_token_id", b"adapter.type",
    b"llama.tensor_data_layout", b"general.base_model.0.repo_url", b"tokenizer.huggingface.json", b"general.type",
)  # fmt: skip


@dataclass
class Tensor:
    name: bytes
    axes: list[int]
    kind: int
    offset: int


@dataclass
class Parts:
    """A GGUF file in tokens; ``values`` are (name, type, content as written)."""

    version: int
    values: list[tuple[bytes, int, bytes]] = field(default_factory=list)
    tensors: list[Tensor] = field(default_factory=list)
    body: bytes = b""
    counts: tuple[int, int] | None = None
    alignment: int = 32


def _content(data: bytes, at: int, kind: int) -> int:
    """Where the content of a value of this type ends."""
    if kind == STRING:
        return at + 8 + struct.unpack_from("<Q", data, at)[0]
    if kind == ARRAY:
        inner, count = struct.unpack_from("<IQ", data, at)
        at += 12
        if inner != STRING:
            return at + SIZES[inner] * count
        for _ in range(count):
            at = _content(data, at, STRING)
        return at
    return at + SIZES[kind]


def apart(data: bytes) -> Parts:
    version, tensors, values = struct.unpack_from("<IQQ", data, 4)
    made, at = Parts(version), 24
    for _ in range(values):
        end = _content(data, at, STRING)
        name, (kind,) = data[at + 8 : end], struct.unpack_from("<I", data, end)
        at = _content(data, end + 4, kind)
        made.values.append((name, kind, data[end + 4 : at]))
    for _ in range(tensors):
        end = _content(data, at, STRING)
        name, (count,) = data[at + 8 : end], struct.unpack_from("<I", data, end)
        axes = list(struct.unpack_from(f"<{count}Q", data, end + 4))
        kind, offset = struct.unpack_from("<IQ", data, end + 4 + 8 * count)
        made.tensors.append(Tensor(name, axes, kind, offset))
        at = end + 16 + 8 * count
    made.body = data[at + -at % made.alignment :]
    return made


def together(parts: Parts) -> bytes:
    counts = parts.counts or (len(parts.tensors), len(parts.values))
    made = [b"GGUF", struct.pack("<IQQ", parts.version & 0xFFFFFFFF, *counts)]
    for name, kind, content in parts.values:
        made += [struct.pack("<Q", len(name)), name, struct.pack("<I", kind), content]
    for tensor in parts.tensors:
        made += [struct.pack("<Q", len(tensor.name)), tensor.name, struct.pack("<I", len(tensor.axes))]
        made += [struct.pack("<Q", axis & 0xFFFFFFFFFFFFFFFF) for axis in tensor.axes]
        made.append(struct.pack("<IQ", tensor.kind & 0xFFFFFFFF, tensor.offset & 0xFFFFFFFFFFFFFFFF))
    header = b"".join(made)
    return header + b"\0" * (-len(header) % parts.alignment) + parts.body


def change_header(rng: random.Random, files: dict[str, bytes]) -> None:
    """One change of version, counts, a value or a tensor; a file that cannot be taken apart any more stays."""
    try:
        parts = apart(files[FILE])
        tensor, other = rng.choice(parts.tensors), rng.choice(parts.tensors)
        i = rng.randrange(len(parts.values))
        match rng.randrange(16):
            case 0:
                parts.version = rng.choice((0, 1, 2, 4, 2**24, 2**31))
            case 1:
                parts.counts = (rng.choice(HOSTILE_NUMBERS), len(parts.values))
            case 2:
                parts.counts = (len(parts.tensors), rng.choice(HOSTILE_NUMBERS))
            case 3:
                parts.values.pop(i)
            case 4:
                parts.values.append(parts.values[i])
            case 5 | 6 | 7:
                parts.values[i] = _other_content(rng, *parts.values[i])
            case 8:
                text = rng.choice((b"llama", b"gpt2", b"qwen2", b"x", b"gpt-2", b"", b"\xff", b"a" * 9999))
                parts.values.append((rng.choice(NAMES), STRING, struct.pack("<Q", len(text)) + text))
            case 9:
                parts.values.append((rng.choice(NAMES), 4, struct.pack("<I", rng.choice(HOSTILE_NUMBERS[:11]))))
            case 10:
                tensor.axes = rng.choice(
                    (tensor.axes[::-1], [], [0], [1] * 9, [2**63, 2], [2**32, 2**32], [*tensor.axes, 1])
                )
            case 11:
                tensor.axes[rng.randrange(len(tensor.axes))] = rng.choice(HOSTILE_NUMBERS)
            case 12:
                tensor.kind = rng.choice((0, 1, 2, 8, 10, 14, 15, 24, 28, 30, 39, 99, 2**31))
            case 13:
                tensor.offset = rng.choice((0, 1, 7, 32, other.offset, len(parts.body), 2**40, 2**63))
            case 14:
                tensor.name = rng.choice(
                    (other.name, b"", b"x", b"\xff", b"n" * 300, tensor.name + b"\0", b"rope_freqs.weight")
                )
            case 15:
                parts.tensors.remove(tensor)
        files[FILE] = together(parts)
    except (KeyError, IndexError, ValueError, OverflowError, MemoryError, struct.error):
        return


def _other_content(rng: random.Random, name: bytes, kind: int, content: bytes) -> tuple[bytes, int, bytes]:
    if rng.random() < 0.2:
        return name, rng.choice((0, 4, 6, 7, STRING, ARRAY, 10, 12, 13, 2**31)), content
    if kind == STRING:
        text = rng.choice((b"", b"llama", b"gpt2", b"bert", b"tekken", b"no rule", b"\xff\xfe", b"a" * 5000))
        return name, kind, struct.pack("<Q", rng.choice((len(text), len(text), 2**40, 2**64 - 1))) + text
    if kind == ARRAY:
        inner, count = struct.unpack_from("<IQ", content)
        count = rng.choice((0, count - 1, count + 1, 10**9, 2**62, 2**64 - 1))
        damaged = bytearray(content)
        damaged[:12] = struct.pack("<IQ", rng.choice((inner, inner, inner, 0, STRING, ARRAY, 77)), count)
        if rng.random() < 0.6:  # the same length, other content
            damaged[:12] = content[:12]
            damaged[rng.randrange(12, len(damaged))] ^= 1 << rng.randrange(8)
        return name, kind, bytes(damaged)
    size = SIZES.get(kind, len(content))
    if kind in (6, 12):
        number = rng.choice((0.0, -1.0, 1e30, float("nan"), float("inf"), 1e-30, 10_000.0))
        return name, kind, struct.pack("<f" if kind == 6 else "<d", number)
    return name, kind, (rng.choice(HOSTILE_NUMBERS) & (256**size - 1)).to_bytes(size, "little")


def change_body(rng: random.Random, files: dict[str, bytes]) -> None:
    """Weights become noise, NaN or huge; the file is cut or grows at its end."""
    try:
        parts = apart(files[FILE])
        body = bytearray(parts.body)
        at = rng.randrange(max(1, len(body) // 4)) * 4
        match rng.randrange(5):
            case 0:
                body[at : at + 4] = struct.pack("<f", rng.choice((float("nan"), float("inf"), 3e38, 1e-45)))
            case 1:
                body[at : at + 4096] = rng.randbytes(len(body[at : at + 4096]))
            case 2:
                del body[rng.randrange(len(body)) :]
            case 3:
                body += rng.randbytes(rng.choice((1, 32, 4096)))
            case 4:
                body[at : at + 64] = b"\xff" * len(body[at : at + 64])
        parts.body = bytes(body)
        files[FILE] = together(parts)
    except (KeyError, IndexError, ValueError, OverflowError, MemoryError, struct.error):
        return
