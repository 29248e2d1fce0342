"""Plots' figures by hand and by brute force, and the page: whole, valid in itself, with the numbers of the JSON."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import arplay
from arplay.cli import main
from arplay.core import profiles
from tests.ledgers import prose, random_ledger

VOID = {"meta", "br", "wbr"}
NASTY = "<script>alert(1)</script> & \u202e \x1b[31m é 好\n</script>\n"


class Checked(HTMLParser):
    """Every tag is closed in its turn, and nothing is fetched from anywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        assert not {name for name, _ in attrs} & {"src", "href", "onclick", "onload"}
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[dict[str, object]]]:
    folder = tmp_path_factory.mktemp("report")
    first, second, out, lines = (folder / name for name in ("a.txt", "b.txt", "out.html", "out.jsonl"))
    first.write_text("It was a dark night. " * 8 + NASTY)
    second.write_text("Once upon a time")
    call = ["score", str(first), str(second), "--report", str(out), "--jsonl", str(lines), "--by", "word"]
    assert main([*call, "--out", str(folder / "said")]) == 0
    return out.read_text(), [json.loads(line) for line in lines.read_text().splitlines()]


def test_the_page_is_whole_and_has_the_numbers_of_the_json(page: tuple[str, list[dict[str, object]]]) -> None:
    text, records = page
    checked = Checked()
    checked.feed(text)
    assert checked.open == [] and {"svg", "table", "span", "script"} <= checked.seen
    assert text.count("<script") == 1 == text.count("</script>") and "alert(1)</script>" not in text
    found = re.search(r'<script type="application/json" id="scores">(.*?)</script>', text, re.DOTALL)
    assert found is not None and json.loads(found[1]) == records and len(records) == 2
    assert not set(text) & set("\x1b\u202e"), "nothing raw"
    with pytest.raises(AssertionError):
        Checked().feed("<p><b></p>")  # negative control


def test_several_texts_add_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [tmp_path / name for name in ("a.txt", "b.txt")]
    for path, text in zip(paths, ("BAC", "CABBA"), strict=True):
        path.write_text(text)
    call = ["score", *map(str, paths), "--model", "abc"]
    assert main([*call, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    model = arplay.load("abc")
    nll = sum(model.score(text).nll_nats for text in ("BAC", "CABBA"))
    assert said["totals"]["nll_nats"] == pytest.approx(nll) and said["totals"]["tokens"] == 8
    assert said["totals"]["perplexity"] == pytest.approx(np.exp(nll / 8))
    assert [each["text"] for each in said["texts"]] == [str(path) for path in paths]
    assert main(call) == 0 and "all 2" in capsys.readouterr().out
    for wrong in (["score"], [*call, "--prompt", "B"], [*call, "--csv", "x.csv"], [*call, "--candidates", "c"]):
        assert main(wrong) == 2


@given(st.lists(st.one_of(st.floats(0, 40), st.just(np.nan), st.just(np.inf)), min_size=1, max_size=30))
def test_a_histogram_counts_every_known_value_once(values: list[float]) -> None:
    found = profiles.histogram(np.array(values), 1.0)
    known = [value for value in values if not np.isnan(value)]
    assert found.counts.sum() + found.beyond == len(known)
    for low, high, count in zip(found.edges[:-1], found.edges[1:], found.counts, strict=True):
        last = high == found.edges[-1]
        assert count == sum(low <= value < high or (last and value == high) for value in known)


@given(st.integers(1, 60), st.integers(1, 9), st.integers(0, 99))
def test_ranks_and_contexts_count_every_scored_token_once(size: int, done: int, seed: int) -> None:
    ledger, _ = random_ledger(prose(size), seed=seed, window=8, done=min(size, done * 7))
    ranks, scored = profiles.rank_histogram(ledger), int(ledger.scored.sum())
    assert ranks.counts.sum() == int((ledger.rank > 0).sum())
    for low, high, count in zip(ranks.edges[:-1], ranks.edges[1:], ranks.counts, strict=True):
        assert count == int(((ledger.rank >= low) & (ledger.rank < high) & (ledger.rank > 0)).sum())
    first, mean, counts = profiles.by_context(ledger)
    assert counts.sum() == scored and (
        not scored or np.average(mean, weights=counts) == pytest.approx(np.nanmean(profiles.surprisal(ledger)))
    )
    assert (np.diff(first) > 0).all()


@given(st.integers(2, 60), st.integers(0, 99), st.sampled_from([1, 5]))
def test_calibration_by_brute_force(size: int, seed: int, among: int) -> None:
    ledger, _ = random_ledger(prose(size), seed=seed)
    claims: list[list[tuple[float, bool]]] = [[] for _ in range(10)]
    for index in np.flatnonzero(ledger.scored).tolist():
        for id, logprob in ledger.best.at(index)[:among]:
            p = float(np.exp(logprob))
            claims[min(int(p * 10), 9)].append((p, id == ledger.ids[index]))
    found = profiles.calibration(ledger, among)
    full = [each for each in claims if each]
    assert found.counts.tolist() == [len(each) for each in full]
    assert found.claimed == pytest.approx([np.mean([p for p, _ in each]) for each in full])
    assert found.came == pytest.approx([np.mean([hit for _, hit in each]) for each in full])
    assert ((found.low <= found.came + 1e-12) & (found.came <= found.high + 1e-12)).all()
