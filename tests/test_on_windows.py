"""What is different on Windows and can be tried elsewhere: its streams and paths, and files that nobody may replace."""

from __future__ import annotations

import errno
import io
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np
import pytest
import torch

from arplay import cli
from arplay.commands import console, streams
from arplay.core.errors import Problem
from arplay.engine.journal import Journal
from arplay.export.writers import write
from arplay.models import families
from arplay.models.gguf import ways
from arplay.models.hf import networks
from arplay.models.snapshots import load_network
from arplay.models.store import hub
from arplay.training.train import Run, Schedule

REPOSITORY = Path(__file__).parent.parent

# ---- streams


def stream(encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding, "backslashreplace", newline="\r\n")


def written(stream: io.TextIOWrapper) -> bytes:
    stream.flush()
    return stream.buffer.getvalue()  # type: ignore[attr-defined] # a BytesIO


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "utf-8"])
def test_both_streams_are_utf_8_with_plain_line_ends(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = stream(encoding), stream(encoding)
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    assert cli.main(["next", "--model", "abc", "--prompt", "A"]) == 0
    assert cli.main(["score", "日本.txt"]) == 1
    assert b"\r" not in written(out) + written(err)
    assert "⟨" in written(out).decode("utf-8") or "log p" in written(out).decode("utf-8")
    assert "日本.txt" in written(err).decode("utf-8")
    other = stream(encoding)
    other.write("日本\n")
    assert written(other) != "日本\n".encode(), "such a stream would not do so by itself"


def test_however_lines_are_written_what_cannot_be_seen_is_a_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    out = stream("utf-8")
    monkeypatch.setattr(sys, "stdout", out)
    with streams.shown():
        sys.stdout.write("a\x1b[2J\n")
        sys.stdout.writelines(["b\x1b[2J\n", "c\n"])
        console.deliver(iter(["d\x1b[2J\n"]), None)
    assert written(out).decode() == "a⟨ESC⟩[2J\nb⟨ESC⟩[2J\nc\nd⟨ESC⟩[2J\n"


def test_a_program_without_a_console_has_no_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert cli.main(["next", "--model", "abc", "--prompt", "A"]) == 0
    assert cli.main(["score", "absent.txt"]) == 1
    assert sys.stdout is None


class Broken(io.RawIOBase):
    """A pipe that refuses what is written, with this error."""

    def __init__(self, number: int, beside: int) -> None:
        super().__init__()
        self.number, self.beside = number, beside

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.beside

    def write(self, data: object) -> int:
        raise OSError(self.number, os.strerror(self.number))


@pytest.mark.parametrize(("number", "status"), [(errno.EPIPE, 0), (errno.EINVAL, 0), (errno.ENOSPC, 1)])
def test_a_reader_that_has_gone_is_no_error(
    number: int, status: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with (tmp_path / "beside").open("wb") as beside:
        pipe = Broken(number, beside.fileno())
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(pipe, "utf-8", write_through=True))  # type: ignore[arg-type]
        monkeypatch.setattr(sys, "stderr", stream("utf-8"))
        assert cli.main(["next", "--model", "abc", "--prompt", "A"]) == status
        pipe.write = lambda data: len(data)  # type: ignore[method-assign, arg-type, assignment] # for its end
        monkeypatch.undo()


# ---- paths

WINDOWS = [
    r"C:\models\x",
    "C:/models/x",
    r"C:\models\a.gguf",
    r"models\x",
    r"\\server\share\x",
    "c:x",
    r"D:\a b\x.json",
]


@pytest.mark.parametrize("spec", [*WINDOWS, *(str(PureWindowsPath(spec)) for spec in WINDOWS)])
def test_a_path_is_no_address_and_no_name_of_the_hub(spec: str) -> None:
    assert families.of_address(spec) is None
    assert hub.parse(spec) is None
    assert hub.parse("org/x") is not None and families.of_address("http://c:1/x#y") is not None
    assert ways.split(rf"{spec}.gguf#native") == (f"{spec}.gguf", "native")


GLUED = re.compile(r"str\([^()]*\.relative_to\(")


def test_parts_of_names_are_joined_by_slashes() -> None:
    found = [path for path in (REPOSITORY / "arplay").rglob("*.py") if GLUED.search(path.read_text("utf-8"))]
    assert found == [], "use as_posix(): on Windows str() joins them by backslashes"
    assert GLUED.search("name = str(file.relative_to(folder))")


# ---- files

Refused = Callable[..., Any]


def held() -> set[str]:
    """The files that this process has open or mapped into its memory."""
    open_ones = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            open_ones.add(str(entry.readlink()))
        except OSError:
            continue  # the one that read the folder
    mapped = {line.split(maxsplit=5)[5] for line in Path("/proc/self/maps").read_text().splitlines() if "/" in line}
    return open_ones | mapped


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A system that replaces, renames and deletes no file that is open, as Windows does not."""
    if not Path("/proc/self/maps").exists():
        pytest.skip("this system does not tell which files are open")

    def careful(act: Refused) -> Refused:
        def done(*places: Any, **options: Any) -> Any:
            mine = held()
            for place in places:
                if isinstance(place, str | os.PathLike) and os.path.realpath(place) in mine:
                    raise PermissionError(errno.EACCES, "another process uses the file", os.fspath(place))
            return act(*places, **options)

        return done

    for name in ("replace", "rename", "unlink", "remove"):
        monkeypatch.setattr(os, name, careful(getattr(os, name)))
    yield


def test_such_a_system_refuses(refusing: None, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"1" * 4096)
    other.write_bytes(b"2")
    with one.open("rb"), pytest.raises(PermissionError):
        other.replace(one)
    array = np.memmap(one, np.uint8, "r")
    with pytest.raises(PermissionError):
        one.unlink()
    del array
    other.replace(one)
    one.unlink()


def test_a_journal_is_written_anew(refusing: None, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "text.jsonl")
    for number in range(3):
        journal.replace([f"first {number}"])
        journal.append("second")
        assert journal.flush(60) and journal.problem is None
    journal.store(tmp_path / "text.long", b"abc")
    journal.discard(tmp_path / "text.long")
    assert journal.flush(60) and journal.close(60)
    assert (tmp_path / "text.jsonl").read_text() == "first 2\nsecond\n"


def test_a_file_that_another_program_has_open_is_told(refusing: None, tmp_path: Path) -> None:
    file = tmp_path / "scores.csv"
    write(file, "1")
    with file.open("rb"), pytest.raises(Problem, match="another process uses the file"):
        write(file, "2")
    assert file.read_text() == "1" and list(tmp_path.iterdir()) == [file]
    write(file, "2")


def test_a_resumed_run_writes_its_checkpoint_and_its_model_again(refusing: None, tmp_path: Path) -> None:
    schedule = Schedule(
        tokens=128, batch=2, context=8, muon_rate=0.02, adamw_rate=0.01,
        warmup=0.1, cooldown=0.9, weight_decay=0.1, clip=1.0, seed=5,
    )  # fmt: skip
    torch.manual_seed(3)
    runs = [
        Run(networks.llama(64, width=16, layers=1, heads=2, hidden=32, context=8), [np.arange(64)], schedule)
        for _ in range(2)
    ]
    checkpoint = tmp_path / "run.safetensors"
    runs[0].advance()
    runs[0].save(checkpoint)
    runs[1].resume(checkpoint)
    runs[1].save(checkpoint)
    (tmp_path / "model").mkdir()
    networks.save(runs[1].network, tmp_path / "model")
    loaded = load_network(tmp_path / "model")
    networks.save(runs[1].network, tmp_path / "model")
    assert loaded is not None
