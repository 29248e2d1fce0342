"""How fast a model is here: its session beside the library's own loops, measured in turns in one process.

A step is what the engine does for one more token: go back to the prefix, read one token, fetch the logits.
"""

from __future__ import annotations

import contextlib
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from arplay.core.distribution import log_softmax
from arplay.core.errors import Problem, in_one_line
from arplay.engine.state import Pace, in_chunks
from arplay.models import devices
from arplay.models.base import Model, Report, Session
from arplay.models.family import resolve
from arplay.models.gguf import ways as gguf_ways
from arplay.models.gguf.baseline import LlamaCpp
from arplay.models.hf.baseline import Transformers
from arplay.models.store.cards import family_of

PREFIXES = (32, 256, 1024)
REPEATS = 7
NEW = 5
"""Tokens that ``generate`` makes a measurement, beyond the first."""

MOST_SCORED = 1024
COMPARED = 64
"""Tokens after which the numbers are compared with those of the library."""

BANDWIDTH_BYTES = 256 * 1024 * 1024
_MIB = 2**20

Record = dict[str, Any]


def measure(model: Model, load_seconds: float, report: Report) -> Record:
    """Everything of :func:`_measured`, with torch's gradients off for the baselines too."""
    if model.can.partial:
        raise Problem(
            f"{model.info.name} runs at a server, where nothing of it can be measured", "give a model from here"
        )
    torch = _torch()
    with torch.inference_mode() if torch else contextlib.nullcontext():
        return _measured(model, load_seconds, report)


def _measured(model: Model, load_seconds: float, report: Report) -> Record:
    """All figures of a loaded model, as `arplay bench --json` names them; None where there is nothing to compare with.

    Milliseconds and seconds are medians. ``peak_rss_mib`` is of this process, and that of
    llama.cpp where one runs the model, before a baseline was loaded.
    """
    most = max(PREFIXES) + NEW + 2
    context = min(model.info.context or most, most)
    longest = min(context, MOST_SCORED)
    ids = np.random.default_rng(0).integers(0, model.info.vocabulary, context + 1).tolist()
    prefixes = [prefix for prefix in PREFIXES if prefix + NEW + 2 <= context]
    report(None, "scoring and reading")
    pace = Pace()
    chunks = _score(model, ids[:longest], pace)  # the pace is found
    prefill = statistics.median(_read(model, ids[:longest], pace) for _ in range(3))
    session = _at(model, ids[: max(prefixes, default=0)], pace)
    cache = session.cache_bytes
    if prefixes:
        _step(session, ids[len(session.ids)], len(session.ids))
    peak, memory = devices.peak(), model.memory()
    report(None, "loading the baseline")
    missing: list[str] = []
    bare = _tried(lambda: _baseline(model, context), "the library's own loops", missing)
    steps: dict[str, dict[str, float | None]] = {name: {} for name in ("arplay", "bare", "generate", "uncached")}
    held: dict[int, int] = {}
    for i, prefix in enumerate(prefixes):
        session = _at(model, ids[:prefix], pace)
        held[prefix] = session.cache_bytes
        contenders = _contenders(model, session, bare, ids, prefix, missing)
        report(i / len(prefixes), f"steps after {prefix} tokens")
        for name, times in _in_turns(contenders).items():
            steps[name][str(prefix)] = 1000 * statistics.median(times)
        for name in steps.keys() - contenders.keys():
            steps[name][str(prefix)] = None
    report(0.9, "scoring")
    parts = [part.tolist() for part in np.split(np.array(ids[:longest]), np.cumsum(chunks)[:-1])]
    scorers = {"arplay": lambda: _seconds(lambda: _score(model, ids[:longest], pace, chunks))}
    if (
        isinstance(bare, Transformers)
        and _tried(lambda: bare.score(parts), "transformers' own scoring", missing) is not None
    ):
        scorers["bare"] = lambda: _seconds(lambda: bare.score(parts))
    scoring = _in_turns(scorers)
    bandwidth = _bandwidth()
    all_read = model.can.keeps  # of a table a step reads a few entries
    floor = {str(n): 1000 * (memory.weights + held[n]) / bandwidth if all_read else None for n in prefixes}
    return {
        "machine": machine(model),
        "model": {
            "name": model.info.name,
            "engine": model.info.engine,
            "device": model.info.device,
            "dtype": model.info.dtype,
            "parameters": model.info.parameters,
            "revision": model.info.revision,
            "cache": model.can.rewinds,
            "why": model.info.why,
            "not_used": list(model.info.not_used),
        },
        "not_compared": missing,
        "load_s": load_seconds,
        "prefill_tokens_per_s": longest / prefill,
        "step_ms": {**steps, "floor": floor},
        "score_tokens_per_s": {
            name: longest / statistics.median(scoring[name]) if name in scoring else None for name in ("arplay", "bare")
        },
        "largest_difference_nats": _tried(
            lambda: _difference(model, bare, ids[: min(longest, COMPARED)]), "the library's own numbers", missing
        ),
        "peak_rss_mib": (peak + (memory.apart or 0)) / _MIB,
        "peak_rss_of_llama_cpp_mib": None if memory.apart is None else memory.apart / _MIB,
        "weights_mib": memory.weights / _MIB,
        "cache_mib": cache / _MIB,
    }


def _difference(model: Model, bare: Transformers | LlamaCpp | None, ids: list[int]) -> float | None:
    """The largest |log p - log p| after ``ids`` between a pass here and one of the unmodified library, in nats."""
    if bare is None:
        return None
    if isinstance(bare, LlamaCpp):
        return float(np.abs(log_softmax(model.uncached(ids)) - log_softmax(bare.after(ids))).max())
    theirs = bare.forward(bare.torch.tensor([ids], device=bare.device), None, keep=False, rows=1)[0][0, -1]
    return float(np.abs(log_softmax(model.uncached(ids)) - log_softmax(theirs.float().cpu().numpy())).max())


def machine(model: Model) -> str:
    """Processor, cores and threads, in a line."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = (line.partition(":") for line in cpuinfo.read_text("utf-8", "replace").splitlines())
        name = next((value.strip() for key, _, value in lines if key.strip() == "model name"), name)
    threads = f", {_torch().get_num_threads()} threads" if _torch() else ""
    return f"{name}, {os.cpu_count()} cores{threads}, {model.info.device}, {platform.system()} {platform.release()}"


def _contenders(
    model: Model,
    session: Session,
    bare: Transformers | LlamaCpp | None,
    ids: list[int],
    prefix: int,
    missing: list[str],
) -> dict[str, Callable[[], float]]:
    """What is measured after a prefix: functions that give the seconds of one step. What fails is ``missing``."""
    found: dict[str, Callable[[], float]] = {
        "arplay": lambda: _seconds(lambda: _step(session, ids[prefix], prefix)),
        "uncached": lambda: _seconds(lambda: model.uncached(ids[: prefix + 1])),
    }
    if isinstance(bare, Transformers):
        bare.past = None
        bare.read(ids[:prefix])
        if bare.past is None:
            return found

        def back() -> None:
            bare.past.crop(min(0, prefix - bare.past.get_seq_length()))

        def step() -> float:
            seconds = _seconds(lambda: bare.read([ids[prefix]]))
            back()
            return seconds

        def generate() -> float:
            """The first token stands for the preparations of a call."""
            first = _seconds(lambda: bare.generate(ids[: prefix + 1], 1))
            back()
            more = _seconds(lambda: bare.generate(ids[: prefix + 1], 1 + NEW))
            back()
            return max(0.0, more - first) / NEW

        loops = {"bare": step, "generate": generate}
        found |= {
            name: loop
            for name, loop in loops.items()
            if _tried(loop, f"transformers' own loop ({name})", missing) is not None
        }
    elif bare is not None:
        bare.net.reset()
        bare.read(ids[:prefix])

        def decode() -> float:
            seconds = _seconds(lambda: bare.read([ids[prefix]]))
            bare.net.n_tokens = prefix  # the next one is read in the place of this one
            return seconds

        found["bare"] = decode
    return found


def _tried(work: Callable[[], Any], what: str, missing: list[str]) -> Any:
    """What ``work`` returns; None where it fails in the library, with a sentence that says so in ``missing``."""
    try:
        return work()
    except Exception as error:
        if devices.out_of_memory(error):
            raise
        sentence = f"{what} cannot be compared with: {in_one_line(error)}"
        missing += [sentence] * (sentence not in missing)
        return None


def _in_turns(contenders: dict[str, Callable[[], float]]) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for work in contenders.values():
        work()  # the first of each is not counted
    for _ in range(REPEATS):
        for name, work in contenders.items():
            times[name].append(work())
    return times


def _step(session: Session, id: int, prefix: int) -> None:
    session.rewind(prefix)
    session.read([id])
    session.logits()


def _at(model: Model, ids: list[int], pace: Pace) -> Session:
    session = model.session()
    for _ in in_chunks(session, session.read, np.array(ids), pace):
        pass
    return session


def _read(model: Model, ids: list[int], pace: Pace) -> float:
    return _seconds(lambda: _at(model, ids, pace).logits())


def _score(model: Model, ids: list[int], pace: Pace, chunks: list[int] | None = None) -> list[int]:
    """Score ``ids`` by the engine's pace, or in the ``chunks`` given; the sizes of the chunks."""
    session = model.session()
    if chunks is None:
        scored = in_chunks(session, session.extend, np.array(ids), pace)
        return [len(scores.logprob) for scores in scored]
    at = 0
    for size in chunks:
        session.extend(ids[at : at + size])
        at += size
    return chunks


def _baseline(model: Model, cells: int) -> Transformers | LlamaCpp | None:
    """The unmodified library on the same file; None for a table, a dequantised GGUF file or several devices."""
    family = family_of(Path(gguf_ways.split(model.info.source)[0]))
    made: Transformers | LlamaCpp | None = resolve(family.baseline)(model, cells) if family.baseline else None
    return made


def _bandwidth() -> float:
    """Bytes a second of a large copy (read and written), by all threads of torch where there is torch."""
    torch = _torch()
    one: Any = torch.zeros(BANDWIDTH_BYTES // 4) if torch else np.zeros(BANDWIDTH_BYTES // 8)
    other = one.clone() if torch else one.copy()
    copy = (lambda: other.copy_(one)) if torch else (lambda: np.copyto(other, one))
    return 2 * BANDWIDTH_BYTES / min(_seconds(copy) for _ in range(REPEATS))


def _torch() -> Any:
    return sys.modules.get("torch")


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def rows(record: Record) -> Iterator[tuple[str, list[str]]]:
    """The table of a record: a name and its cells, the prefixes first."""
    steps = record["step_ms"]
    prefixes = list(steps["floor"])
    yield "step in ms, after", [f"{prefix} tokens" for prefix in prefixes]
    for name in ("arplay", "bare", "generate", "uncached", "floor"):
        cells = (steps[name][prefix] for prefix in prefixes)
        yield name, ["-" if cell is None else f"{cell:.2f}" for cell in cells]
