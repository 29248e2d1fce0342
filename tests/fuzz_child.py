"""The process in which damaged models are opened: ``python -m tests.fuzz_child FOLDER LOADER (KIND FIRST LAST)...``.

FOLDER holds the bases (one folder each). A line of JSON is written when a case begins (FIRST up to LAST, which is left
out) and when it ends. A crash or a hang ends the process, and the parent knows by the last line which case it was.
"""

from __future__ import annotations

import faulthandler
import json
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from arplay.core.distribution import Distribution
from arplay.core.errors import Problem
from arplay.models.base import Model, Report
from arplay.models.gguf import parent as gguf_remote
from tests.fuzz_cases import KINDS, Files, mutated
from tests.fuzz_values import OUTSIDE

CASE_SECONDS = float(os.environ.get("FUZZ_CASE_SECONDS", "60"))
"""A hang guard."""
MOST_GROWTH = 200 * 1024
"""KiB by which one case may raise the peak of memory; the models have less than one MiB."""
FORBIDDEN = (
    "socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork",
    "pickle.find_class",
)  # fmt: skip


NINJA = ("ninja", ["ninja", "--version"])
"""What the library asks before it opens any RWKV; nothing of it comes from the model."""
LLAMA = (gguf_remote.COMMAND[0], list(gguf_remote.COMMAND))
"""llama.cpp runs in a process of its own."""


class Watch:
    """Hears what the interpreter does (audit events) while a case runs: code, processes, network, files outside."""

    def __init__(self, outside: Path) -> None:
        self.outside, self.case = str(outside), ""
        self.heard: list[str] = []
        sys.addaudithook(self._hear)

    def _hear(self, event: str, given: tuple[Any, ...]) -> None:
        if not self.case:
            return
        if event == "open" and str(given[0]).startswith(self.outside):
            self.heard.append(f"opened {given[0]}")
        elif event == "exec" and getattr(given[0], "co_filename", "").startswith((self.case, self.outside)):
            self.heard.append(f"ran {given[0].co_filename}")
        elif event in FORBIDDEN and given[:2] not in (NINJA, LLAMA):
            self.heard.append(f"{event} {str(given)[:100]}")


def native(path: Path, name: str, device: str, dtype: str, report: Report) -> Model:
    from arplay.models.gguf import native as gguf_native

    return gguf_native.load(path, name, device, dtype, report)


def folder(path: Path, name: str, device: str, dtype: str, report: Report) -> Model:
    from arplay.models.hf import loading

    return loading.load(path, name, device, dtype, report)


def files(path: Path, name: str, device: str, dtype: str, report: Report) -> None:
    from tests.fuzz_files import READERS

    READERS[name](path)


def crashes(path: Path, *_: Any) -> Model:
    faulthandler._sigsegv()  # type: ignore[attr-defined]
    raise AssertionError


def hangs(path: Path, *_: Any) -> Model:
    time.sleep(1000)
    raise AssertionError


def runs_code(path: Path, *_: Any) -> Model:
    import importlib.util

    spec = importlib.util.spec_from_file_location("evil", path / "evil.py")
    assert spec is not None and spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    raise Problem("config.json is refused", "but its code ran")


def reads_outside(path: Path, *_: Any) -> Model:
    (path.parent / "outside" / "secret.json").read_text()
    raise Problem("config.json is refused", "but a path in it was followed")


def takes_memory(path: Path, *_: Any) -> Model:
    np.ones(MOST_GROWTH * 1024 * 2, np.uint8)
    raise Problem("config.json is refused", "but memory was taken for it")


def raises(path: Path, *_: Any) -> Model:
    raise KeyError("vocab")


def says_nothing(path: Path, *_: Any) -> Model:
    raise Problem("something is wrong", "try again")


LOADERS: dict[str, Callable[..., Model | None]] = {
    loader.__name__: loader
    for loader in (folder, native, files, crashes, hangs, runs_code, reads_outside, takes_memory, raises, says_nothing)
}
NAMED = (
    "case",
    ".json",
    ".toml",
    ".txt",
    "safetensors",
    "training run",
    "context is full",
    "tokenizer",
    "gguf",
    "the model's logits",
)


def written(files: Files, place: Path, outside: Path) -> Path:
    for name, data in files.items():
        (place / name).write_bytes(data.replace(OUTSIDE.encode(), str(outside).encode()))
    return place / "case.gguf" if "case.gguf" in files else place


def used(model: Model) -> None:
    """What a window does first: encode, read, go back, ask for the next distribution."""
    tokens = model.alphabet.encode(b"The cat")
    ids = [int(id) for id in np.asarray(getattr(tokens, "ids", tokens))][:4]
    session = model.session()
    scores = session.extend(ids)
    Distribution.from_logits(session.logits())  # NaN is a Problem there; a token without a number is told in the totals
    if (scores.logprob[1:] > 1e-6).any():
        raise AssertionError("a loaded model gives log-probs above 0")
    if len(ids) > 1:
        session.rewind(1)
        session.extend(ids[1:])


def outcome(load: Callable[..., Model | None], path: Path, kind: str) -> tuple[str, str, str]:
    """How a case ended (loaded, refused, WRONG), the last stage that was told, and what was said."""
    stages = ["looking at the files"]
    try:
        name = kind if load is files else "case"
        model = load(path, name, "cpu", "auto", lambda fraction, what: stages.append(what))
        stages.append("in use")
        if model is not None:
            used(model)
    except Problem as problem:
        named = any(name in str(problem) for name in NAMED) and problem.remedy and "\n" not in str(problem)
        memory = "allocate" in str(problem)
        return ("refused" if named and not memory else "WRONG: names nothing"), stages[-1], str(problem)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is what this looks for
        return "WRONG: raised", stages[-1], f"{type(error).__name__}: {error}"
    return "loaded", "in use", ""


def main(place: str, loader: str, cases: list[tuple[str, int, int]]) -> None:
    root = Path(place)
    outside = root / "outside"
    bases = {
        base.name: {file.name: file.read_bytes() for file in base.iterdir()}
        for base in sorted((root / "bases").iterdir())
    }
    load = LOADERS[loader]
    warm(load, root / "bases", list(dict.fromkeys(kind for kind, _, _ in cases)))
    watch = Watch(outside)
    before = peak_kib()
    for kind, first, last in cases:
        if kind in ("tokenizer", "odd"):
            leave_steps_alone()
        for number in range(first, last):
            tell(kind=kind, number=number, began=True)
            with tempfile.TemporaryDirectory(prefix="case-", dir=root) as case:
                path = written(mutated(kind, number, bases), Path(case), outside)
                faulthandler.dump_traceback_later(CASE_SECONDS, exit=True)
                watch.heard, watch.case = [], case
                how, stage, said = outcome(load, path, kind)
                watch.case = ""
                faulthandler.cancel_dump_traceback_later()
            peak = peak_kib()
            grown, before = peak - before, peak
            if watch.heard:
                how, said = "WRONG: reached out", f"{watch.heard[0]} ({said})"
            elif (outside / "ran").exists():
                how = "WRONG: ran code"
            elif grown > MOST_GROWTH:
                how, said = f"WRONG: took {grown >> 10} MiB", said
            (outside / "ran").unlink(missing_ok=True)
            tell(kind=kind, number=number, how=how, stage=stage, said=said[:300], peak=peak)


def warm(load: Callable[..., Model | None], bases: Path, kinds: list[str]) -> None:
    """The bases themselves are good; loading each imports what the cases need."""
    for base in sorted(bases.iterdir()):
        if load is folder and base.name not in ("gguf", "files", "run"):
            used(folder(base, "case", "cpu", "auto", lambda *_: None))
        elif load is native and base.name == "gguf":
            used(native(base / "case.gguf", "case", "cpu", "auto", lambda *_: None))
        elif load is files and base.name in ("files", "run"):
            with tempfile.TemporaryDirectory(dir=bases.parent) as copy:
                for kind in kinds:
                    if KINDS[kind][0](base.name):
                        shutil.copytree(base, Path(copy) / kind)
                        files(Path(copy) / kind, kind, "cpu", "auto", lambda *_: None)


def leave_steps_alone() -> None:
    """Record no step from now on: most of a load, and of good weights always the same recording."""
    from arplay.models.hf import fast_step

    fast_step.speed_up = lambda network: fast_step.Faster()


def peak_kib() -> int:
    """Of this process alone: the peak that ``getrusage`` tells is inherited from the one that started it."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().partition("VmHWM:")[2].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def tell(**facts: Any) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    faulthandler.enable()
    import warnings

    warnings.simplefilter("ignore")
    shares = zip(sys.argv[3::3], map(int, sys.argv[4::3]), map(int, sys.argv[5::3]), strict=True)
    main(sys.argv[1], sys.argv[2], list(shares))
