"""The folder of a training run, as others read it while it is being written: plan, reports, snapshots, problem.

::

    DIR/                      the model itself, as of the newest snapshot or pause; opens like any model folder
      training/
        plan.json             all that decides the weights (``Plan``); there once the texts are read and timed
        log.jsonl             one ``Report`` a line; a torn last line does not count
        state.safetensors     the checkpoint: weights and optimisers in float32, the step in its header
        snapshots/00000012/   weights in bfloat16 after step 12
        problem.json          why the run ended before its time, if it did
        stop                  asks the run to stop, where no signal can
        lock, watched         held by the process that trains, and by the window that watches it

Until plan.json is there, the last line that the command printed says what it is doing. Nothing heavy is imported.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from arplay.core.errors import Problem
from arplay.models import families
from arplay.models.family import Training
from arplay.textfile import json_value, read_json, read_marked
from arplay.training import limits
from arplay.training.sizes import Sizes, shape_of

Precision = Literal["float32", "bfloat16"]

LOCK_SECONDS = 1.0
"""A window that lists runs holds each one's lock for a moment."""

MAX_BYTES = 1024 * 1024
"""Of plan.json and problem.json."""

MAX_LOG_BYTES = 64 * 1024 * 1024
"""Of log.jsonl: two days of reports."""

_SNAPSHOTS = 24


@dataclass(frozen=True)
class Plan:
    """All that decides the weights: the same plan on the same versions of the libraries gives the same bits.

    ``texts``: absolute paths with their ``sha256``, or else ``recipe``, a path with the sha256 of that file.
    ``tokenizer``: the folder it was taken from, "" if it was trained on these texts. ``vocabulary``: its tokens.
    ``width``, ``layers``, ``heads``, ``hidden``: of the network (an LSTM has the first two, an n-gram model none).
    ``tokens``: predictions in all, in steps of ``batch`` rows of ``context`` tokens. ``muon_rate`` 0: AdamW trains all
    weights. ``warmup``, ``cooldown``: parts of the steps. ``threads``: those of all ``processes``, which share the rows
    of a batch. ``order``: n of an n-gram model, which has one step. ``rows``, ``columns``: of the pictures it reads;
    ``rate``: samples a second of its sounds; ``stacks``: of convolutions of pictures (0 is 2).
    """

    family: str
    texts: tuple[str, ...]
    recipe: str
    sha256: tuple[str, ...]
    tokenizer: str
    vocabulary: int
    width: int
    layers: int
    heads: int
    hidden: int
    context: int
    tokens: int
    batch: int
    muon_rate: float
    adamw_rate: float
    warmup: float
    cooldown: float
    weight_decay: float
    clip: float
    seed: int
    device: str
    threads: int
    processes: int
    precision: Precision
    compile: bool
    order: int
    rows: int = 0
    columns: int = 0
    rate: int = 0
    stacks: int = 0

    @property
    def training(self) -> Training:
        """What there is to know of how its family is trained."""
        return families.trained(self.family)

    @property
    def sizes(self) -> Sizes:
        return Sizes(self.width, self.layers, self.heads, self.hidden, self.rows, self.columns, self.rate, self.stacks)

    @property
    def steps(self) -> int:
        """Optimiser steps in the whole run."""
        return 1 if self.training.counted else self.tokens // (self.batch * self.context)

    def snapshots(self) -> list[int]:
        """The steps after which a snapshot is kept: the first and the last, and more early than late ones."""
        return sorted({round(self.steps * (k / _SNAPSHOTS) ** 2.5) for k in range(_SNAPSHOTS + 1)})

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Raises ValueError naming the field that is missing, unknown, of another type or out of bounds."""
        plan = cls(**limits.PLAN(json_value(text), ""))
        needed = () if plan.training.counted else shape_of(plan.family).numbers
        if zero := [name for name in needed if not getattr(plan, name) and name != "stacks"]:  # 0 is the usual two
            raise ValueError(f"{zero[0]} is 0")
        if "heads" in needed and plan.width % (2 * plan.heads):
            raise ValueError("heads do not cut the width into even parts")
        if plan.batch % plan.processes or plan.processes > plan.threads:
            raise ValueError("processes do not divide the batch, or are more than the threads")
        if plan.steps < 1:
            raise ValueError("tokens are less than a step")
        return plan


@dataclass(frozen=True)
class Report:
    """How training stands after ``step`` of ``steps``: ``tokens`` predictions and ``seconds`` of training so far.

    ``loss``: mean NLL of the training batches since the last report, each before its update, in nats a token.
    ``held_out``: that of held-out text, None where it was not measured. The two ``*_bits_per_byte``: the same in bits
    for each byte of text. ``tokens_per_second``: since the last report. ``rate``: part of the full learning rate.
    The report of step 0 is of the first batch, before any update.
    """

    step: int
    steps: int
    tokens: int
    seconds: float
    loss: float
    held_out: float | None
    bits_per_byte: float
    held_out_bits_per_byte: float | None
    tokens_per_second: float
    seconds_left: float
    rate: float

    def to_json(self) -> str:
        """One line, without its end."""
        return json.dumps(asdict(self), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Report:
        """Raises ValueError as :meth:`Plan.from_json` does."""
        return cls(**limits.REPORT(json_value(text), ""))


class RunFolder:
    """Where a run is kept. Reading never waits for the run, and may be done twice a second."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.training = path / "training"
        self.state = self.training / "state.safetensors"
        self.stop = self.training / "stop"
        self._log = self.training / "log.jsonl"
        self._read: list[Report] = []
        self._offset = 0
        self._file = 0

    def plan(self) -> Plan:
        """Raises Problem where there is none, or one that cannot be read."""
        return self._plan

    @cached_property
    def _plan(self) -> Plan:
        path = self.training / "plan.json"
        try:
            return Plan.from_json(read_marked(path, MAX_BYTES))
        except FileNotFoundError as error:
            raise Problem(f"{self.path} holds no training run", "name the --out folder of one") from error
        except (OSError, ValueError) as error:
            raise Problem(f"{path} cannot be read: {error}", "start a new run") from error

    def has_plan(self) -> bool:
        return (self.training / "plan.json").is_file()

    def reports(self) -> Sequence[Report]:
        """Every report so far, oldest first. Only what is new is read from the file.

        Raises Problem for a file that cannot be read, or holds something else.
        """
        try:
            with self._log.open("rb") as file:
                status = os.fstat(file.fileno())
                if status.st_ino != self._file or status.st_size < self._offset:  # cut back by a resumed run
                    self._read, self._offset, self._file = [], 0, status.st_ino
                if status.st_size > MAX_LOG_BYTES:
                    raise Problem(f"{self._log} is too large", "start a new run")
                file.seek(self._offset)
                whole, end, _ = file.read().rpartition(b"\n")
        except FileNotFoundError:
            self._read, self._offset = [], 0
            return ()
        except OSError as error:
            raise Problem(f"{self._log} cannot be read ({error.strerror})", "check the folder and its disk") from error
        try:
            self._read += [Report.from_json(line.decode("utf-8")) for line in whole.splitlines()]
        except ValueError as error:
            raise Problem(f"{self._log} is damaged: {error}", "start a new run") from error
        self._offset += len(whole) + len(end)
        return tuple(self._read)

    def snapshots(self) -> list[int]:
        """The steps whose weights are there, in order."""
        found = (self.training / "snapshots").glob("[0-9]" * 8)
        return sorted(int(path.name) for path in found if (path / "model.safetensors").is_file())

    def snapshot(self, step: int) -> Path:
        """The weights after ``step``."""
        return self.training / "snapshots" / f"{step:08}" / "model.safetensors"

    def checkpoint(self) -> int | None:
        """The step that the checkpoint is of: 0 where there is none, None where it is damaged, as resuming tells."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self.state, "np") as file:  # reads the header alone
                return int(json.loads((file.metadata() or {})["run"])["step"])
        except FileNotFoundError:
            return 0
        except (OSError, SafetensorError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def problem(self) -> tuple[str, str] | None:
        """(cause, remedy) if the run ended with a Problem."""
        try:
            said = limits.PROBLEM(read_json(self.training / "problem.json", MAX_BYTES), "")
            return said["cause"], said["remedy"]
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            return "the run ended with an error", "look at what it printed"

    def done(self) -> bool:
        """Whether the last step is trained, and the model written."""
        reports = self.reports()
        return bool(reports) and reports[-1].step >= reports[-1].steps

    def resumable(self) -> bool:
        """Whether ``--resume`` has something to continue."""
        return self.has_plan() and not self.done()

    @contextlib.contextmanager
    def locked(self, seconds: float = LOCK_SECONDS) -> Iterator[None]:
        """Keep the folder to this process. Raises Problem where another one still trains in it after ``seconds``."""
        self.training.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.training / "lock", seconds, mode=0o600)
        try:
            held = lock.acquire()
        except Timeout as error:
            raise self.busy() from error
        with held:
            yield

    def busy(self) -> Problem:
        """What is told of a run that another process trains."""
        cause = f"the run {self.path.name} is being trained already"
        return Problem(cause, "wait until the other arplay has stopped, or choose another folder")

    def write_plan(self, plan: Plan) -> None:
        self.training.mkdir(parents=True, exist_ok=True)
        write_whole(self.training / "plan.json", plan.to_json())
        self.__dict__.pop("_plan", None)

    def append(self, report: Report) -> None:
        with self._log.open("a", encoding="utf-8", newline="\n") as file:
            file.write(report.to_json() + "\n")

    def write_problem(self, problem: Problem) -> None:
        self.training.mkdir(parents=True, exist_ok=True)
        write_whole(self.training / "problem.json", json.dumps({"cause": problem.cause, "remedy": problem.remedy}))

    def cut_back(self, step: int) -> None:
        """Take the run back to the checkpoint of ``step``: what came after it goes, and the problem.

        The report of step 0 goes with a step 0 that is done again, since it is of the first batch.
        """
        (self.training / "problem.json").unlink(missing_ok=True)
        kept = [report for report in self.reports() if step and report.step <= step]
        write_whole(self._log, "".join(report.to_json() + "\n" for report in kept))
        for later in self.snapshots():
            if later > step:
                shutil.rmtree(self.snapshot(later).parent)


def write_whole(path: Path, data: str | bytes) -> None:
    """Write ``data``, text as UTF-8; a file that is there is replaced only by the whole of it. Raises OSError.

    What another left in place of the partial file, a link to elsewhere perhaps, is removed and not written through.
    """
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    try:
        with partial.open("xb") as file:
            file.write(data.encode("utf-8") if isinstance(data, str) else data)
            file.flush()
            os.fsync(file.fileno())  # else a power cut can leave the name without the bytes
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)  # on a full disk it would keep the room that the rest needs
        raise
