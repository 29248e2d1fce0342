"""A saved scoring run opens again as it was, without its model; a damaged one is refused as a whole."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import arplay
from arplay.cli import main
from arplay.export.scorefile import HEAD
from arplay.models.scored_run import COLUMNS

TEXT = "It was a dark night, é 好 🙂.\r\n<|endoftext|> No bytes lost. " * 3


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, arplay.Score]:
    model = arplay.load("english", reading=arplay.Reading(context=24, stride=8, special=True))
    score, path = model.score(TEXT), tmp_path_factory.mktemp("runs") / "run.npz"
    score.save(path, "the text")
    return path, score


def test_it_opens_as_it_was(saved: tuple[Path, arplay.Score]) -> None:
    path, score = saved
    found, name = arplay.Score.opened(path)
    assert name == "the text" and found.loaded.info == score.loaded.info
    assert found.as_dict() == score.as_dict() and found.tokens == score.tokens and found.notes == score.notes
    assert np.array_equal(found.logprob, score.logprob) and np.array_equal(found.context, score.context)
    for index in (0, 7, len(score) - 1):
        assert found.ledger.best.at(index) == score.ledger.best.at(index)
        assert found.ledger.encoded.said(index, found.loaded.vocabulary) == score.ledger.encoded.said(
            index, score.loaded.vocabulary
        )
    assert found.by("word").logprob.tolist() == score.by("word").logprob.tolist()
    assert found._repr_html_() == score._repr_html_()
    with np.load(path) as plain:
        assert set(COLUMNS) <= set(plain.files) and np.array_equal(plain["logprob"], score.logprob)


def test_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, run, page = tmp_path / "t.txt", tmp_path / "t.npz", tmp_path / "t.html"
    text.write_text("BACAB")
    assert main(["score", str(text), "--model", "abc", "--save", str(run), "--json"]) == 0
    first = capsys.readouterr().out
    assert main(["score", str(run), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(first)
    assert main(["score", str(run), "--compare", str(run), "--report", str(page)]) == 0
    assert "5 bytes that both score" in capsys.readouterr().out and "t.txt" in page.read_text()
    for wrong in (
        ["--conventions"],
        ["--compare", "abc", "--divergence"],
        ["--compare", str(run), "--context", "2"],
        ["--save", str(run)],
        ["--model", "abc"],
        ["--context", "2"],
    ):
        assert main(["score", str(run), *wrong]) == 2
    for wrong in (["--model", "abc"], ["--first-token", "bos"]):
        picture = ["--chart", "heatmap", "--out", str(tmp_path / "h.svg")]
        assert main(["export", str(run), *picture, *wrong]) == 2
    assert main(["score", str(text), "--model", "abc", "--save", str(tmp_path / "t.json")]) == 2
    assert main(["score", "--prompt", "#.# .#. #.#", "--model", "xo", "--save", str(run)]) == 1
    assert "only scored texts" in capsys.readouterr().err


def test_a_run_stands_beside_models_whichever_comes_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, run = tmp_path / "t.txt", tmp_path / "t.npz"
    text.write_text("BACAB")
    scores = {name: arplay.load(name).score("BACAB") for name in ("abc", "english")}
    scores["abc"].save(run)
    nats = {name: score.nll_nats for name, score in scores.items()}
    for first, others in ((str(run), ["english", str(run)]), (str(text), [str(run), "abc"])):
        assert main(["score", first, "--compare", *others, "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["model"]["name"] == ("abc" if first == str(run) else "english")
        for other, found in zip(others, told["comparison"], strict=True):
            name = "english" if other == "english" else "abc"
            assert found["model"]["name"] == name and found["bytes_compared"] == 5
            assert found["other_nll_nats"] == pytest.approx(nats[name], abs=1e-4)
    assert arplay.load("english").score(arplay.Score.opened(run)[0].document).nll_nats == pytest.approx(nats["english"])
    assert main(["score", str(run), "--compare", "english", "--first-token", "unscored", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["comparison"][0]
    assert found["bytes_compared"] == 4, "how the model reads can be said"
    (tmp_path / "other.txt").write_text("CAB")
    for argv, said in (
        ([str(tmp_path / "other.txt"), "--compare", str(run)], "t.npz is a run of another text than"),
        ([str(run), "--compare", "xo"], "xo: this model reads pixels, no text"),
        (["--prompt", "#.# .#. #.#", "--model", "xo", "--compare", str(run)], "t.npz is a run of another text than"),
    ):
        assert main(["score", *argv]) == 1
        assert said in capsys.readouterr().err
    assert main(["score", str(text), "--compare", str(run), "--divergence"]) == 2
    assert "not to a run" in " ".join(capsys.readouterr().err.split())


def changed(path: Path, **members: Any) -> bytes:
    """The same file with other members (None: without it)."""
    made = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(made, "w") as new:
        for item in old.infolist():
            stem = item.filename.removesuffix(".npy").removesuffix(".json")
            if stem not in members:
                new.writestr(item.filename, old.read(item.filename))
            elif isinstance(members[stem], bytes):
                new.writestr(item.filename, members[stem])
            elif isinstance(members[stem], dict):
                new.writestr(HEAD, json.dumps({**json.loads(old.read(HEAD)), **members[stem]}))
            elif members[stem] is not None:
                out = io.BytesIO()
                np.save(out, members[stem], allow_pickle=True)
                new.writestr(item.filename, out.getvalue())
    return made.getvalue()


def array_file(shape: str) -> bytes:
    """An array of int32 that says it has this shape."""
    head = f"{{'descr':'<i4','fortran_order':False,'shape':{shape}}}".encode()
    return b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + bytes(20)


n = 5
DAMAGED: dict[str, tuple[dict[str, Any], str]] = {
    "no column": ({"rank": None}, "rank"),
    "another type": ({"logprob": np.zeros(n, np.float32)}, "another type"),
    "pickled": ({"text": np.array([{}], object)}, "another type"),
    "no probability": ({"best_logprobs": np.full((n, 5), np.nan, np.float32)}, "no log-probability"),
    "no entropy": ({"entropy": np.full(n, np.inf, np.float32)}, "no entropy"),
    "a vocabulary too few": ({"run": {"vocabulary": 2}}, "outside"),
    "another length": ({"entropy": np.zeros(n + 1, np.float32)}, "one length"),
    "an id from nowhere": ({"ids": np.full(n, 2, np.int32), "known_ids": np.array([0, 1, 99], np.int32)}, "outside"),
    "a token untold": ({"best_ids": np.full((n, 5), 7, np.int32)}, "does not tell"),
    "ends that fall": ({"ends": np.array([3, 2, 3, 4, 5], np.int32)}, "do not rise"),
    "ends beyond": ({"ends": np.array([1, 2, 3, 4, 9], np.int32)}, "do not rise"),
    "p above 1": ({"logprob": np.ones(n)}, "no log-probability"),
    "p beyond all models": ({"logprob": np.full(n, -1e308)}, "no log-probability"),
    "true tokens": ({"ids": array_file("(True,)")}, "another type"),
    "more than there is": ({"ids": array_file("(9999999999999999999999999,)")}, "not as long"),
    "nested too deeply": ({"run": b"[" * 200_000}, "nested too deeply"),
    "NaN in its head": ({"run": b'{"scores": NaN}'}, "NaN is not JSON"),
    "a number without end": ({"run": b'{"scores": %s}' % (b"9" * 6000)}, "too many digits"),
    "newer": ({"run": {"scores": 2}}, "a newer arplay"),
    "odd words": ({"run": {"first_token": "whatever"}}, "first_token"),
    "impossible windows": ({"run": {"windows": [4, 9, 0]}}, "impossible"),
    "more": ({"run": {"more": 1}}, "more is unknown"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_file_is_refused(case: str, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.npz", tmp_path / "bad.npz"
    arplay.load("abc").score("BACAB").save(good)
    members, words = DAMAGED[case]
    bad.write_bytes(changed(good))
    assert len(arplay.Score.opened(bad)[0]) == n, "the control"
    bad.write_bytes(changed(good, **members))
    with pytest.raises(arplay.Problem, match=words):
        arplay.Score.opened(bad)


@pytest.mark.parametrize("kind", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_what_numpy_does_not_pack_is_not_unpacked(kind: int, tmp_path: Path) -> None:
    good, other = tmp_path / "good.npz", tmp_path / "other.npz"
    arplay.load("abc").score("BACAB").save(good)
    with zipfile.ZipFile(good) as old, zipfile.ZipFile(other, "w", kind) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    with pytest.raises(arplay.Problem, match=r"other\.npz is no scoring run.* numpy does not pack"):
        arplay.Score.opened(other)


@given(st.integers(0, 10**6), st.binary(max_size=3))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_random_damage_is_a_clear_word(tmp_path: Path, at: int, patch: bytes) -> None:
    good, bad = tmp_path / "good.npz", tmp_path / "bad.npz"
    if not good.exists():
        arplay.load("abc").score("BACAB").save(good)
    data = good.read_bytes()
    at %= len(data)
    bad.write_bytes(data[:at] + patch + data[at + len(patch) + (not patch) * 9 :])
    try:
        arplay.Score.opened(bad)
    except arplay.Problem as problem:
        assert "bad.npz" in problem.cause and problem.remedy


def test_a_file_that_unpacks_beyond_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is known from its heads alone: nothing of it is unpacked."""
    path = tmp_path / "bomb.npz"
    arplay.load("abc").score("BACAB").save(path)
    needed = sum(item.file_size for item in zipfile.ZipFile(path).infolist())
    for free, opens in ((2 * needed, True), (2 * needed - 1, False)):
        monkeypatch.setattr("psutil.virtual_memory", lambda free=free: SimpleNamespace(available=free, total=2 * free))
        if opens:
            assert len(arplay.Score.opened(path)[0]) == n
            continue
        with pytest.raises(arplay.Problem, match="of memory are free"):
            arplay.Score.opened(path)


def test_other_files_are_none(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    with pytest.raises(arplay.Problem, match="cannot be read"):
        arplay.Score.opened(path)
    path.write_text("no zip")
    with pytest.raises(arplay.Problem, match="no scoring run"):
        arplay.Score.opened(path)
