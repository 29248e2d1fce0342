"""The page of a scoring run: whole, valid in itself, with the numbers of the JSON and every plot."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import hypothesis
import hypothesis.strategies
import numpy as np
import pytest

import arplay
from arplay.cli import main
from arplay.core.chain import Ledger
from arplay.core.modalities.vocabulary import Vocabulary
from arplay.core.signs import markup
from arplay.export import report, scorefile, tables
from arplay.export.plot_svg import DRAWN
from arplay.export.plots import PLOTS
from arplay.export.provenance import Provenance
from arplay.export.writers import writing
from arplay.models.scored_run import SavedRun
from arplay.results import Score
from tests.made_up_ledger import WORDS, ledger_of

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
    for kind in PLOTS:
        assert text.count(f"<br><small>{markup(kind.says)}</small>") == (2 if kind.name in DRAWN else 0)
        assert text.count(f"<figcaption>{kind.title}: ") == (2 if kind.name in DRAWN else 0)
    assert text.count("<h2>The most confident tokens</h2>") == 2
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


LONG = 30_000


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ledger]:
    """A saved run of a text that is longer than a page tells token by token."""
    ledger, tokens = ledger_of(LONG), Vocabulary("words", tuple(WORDS), frozenset())
    path = tmp_path_factory.mktemp("long") / "long.npz"
    scorefile.write(path, SavedRun(ledger, tokens, arplay.load("abc").info, "long.txt"))
    return path, ledger


def test_a_long_text_is_told_in_part_and_said_so(run: tuple[Path, Ledger], tmp_path: Path) -> None:
    """Its first tokens in parts that fold, and what surprised most; figures are of all; JSON lines have every token."""
    path, ledger = run
    page, lines = tmp_path / "a.html", tmp_path / "a.jsonl"
    for out in (page, lines):
        assert main(["score", str(path), "--out", str(out)]) == 0
    (record,) = (json.loads(line) for line in lines.read_text().splitlines())
    score = Score.opened(path)[0]
    assert record == {"text": "long.txt", **score.as_dict()} and len(record["tokens"]) == LONG
    text = page.read_text()
    checked = Checked()
    checked.feed(text)
    assert checked.open == []
    found = re.search(r'<script type="application/json" id="scores">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    (told,) = json.loads(found[1])
    assert told["totals"] == record["totals"]
    indices = [row["index"] for row in told["tokens"]]
    assert indices == sorted(set(indices)) and len(indices) == told["tokens_told"]
    assert all(record["tokens"][row["index"]] == row for row in told["tokens"])
    head = report.MOST * 3 // 4
    assert indices[:head] == list(range(head))
    surprising = head + np.argsort(ledger.logprob[head:])[: report.PASSAGES]
    assert set(surprising.tolist()) <= set(indices)
    assert f"Of {LONG:,} tokens the first {head:,} are shown, and {len(indices) - head:,} around" in text
    cells = re.findall(r'<span class="[su][^"]*" title="token ([\d,]+), id \d+', text)
    assert [int(cell.replace(",", "")) - 1 for cell in cells] == indices
    assert f"{ledger.totals.tokens:,}</td>" in text and text.count("<details") == 3 + text.count("<details open>") - 1
    assert len(text) < 12e6


def test_it_is_written_in_pieces(run: tuple[Path, Ledger], tmp_path: Path) -> None:
    """No piece is longer than a block of tokens, and one that is not written to its end leaves nothing."""
    score = Score.opened(run[0])[0]
    pieces = list(report.line("a", score.around(), score.ledger, score.loaded.vocabulary))
    assert max(map(len, pieces)) < 400 * tables.BLOCK < sum(map(len, pieces))
    assert json.loads("".join(pieces)) == {"text": "a", **score.as_dict()}
    out = tmp_path / "out.jsonl"
    steps = writing(out, iter(pieces))
    next(steps)
    steps.close()
    assert not list(tmp_path.iterdir())


def test_many_texts_have_a_table_and_share_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "SECTIONS", 3)
    score, text = arplay.load("abc").score, "BACABBA"
    scores = [score(text[: 1 + at]) for at in range(5)]
    pages = [
        report.Scoring(f"{at}.txt", each.ledger, each.loaded.vocabulary, Provenance(each.loaded.info, "model", "x"),
                       each.around())
        for at, each in enumerate(scores)
    ]  # fmt: skip
    made = "".join(report.pieces(pages))
    assert made.count("<section>") == 3 and "The first 3 texts are shown below, 2 stand in this table only." in made
    assert "<td>all 5</td>" in made and all(f"<td>{at}.txt</td>" in made for at in range(5))
    found = re.search(r'id="scores">(.*?)</script>', made, re.DOTALL)
    assert found is not None
    told = json.loads(found[1])
    assert [len(each["tokens"]) for each in told] == [1, 2, 3, 0, 0] and told[3]["tokens_told"] == 0
    assert [each["totals"]["nll_nats"] for each in told] == pytest.approx([each.nll_nats for each in scores])


def test_a_picture_stands_in_rows(tmp_path: Path) -> None:
    """Its pixels are squares at their places, by classes: no element has a style of its own."""
    score = arplay.load("xo").score("#.# .#. #.#")
    origin = Provenance(score.loaded.info, "model", "x")
    one = report.Scoring("x", score.ledger, score.loaded.vocabulary, origin, score.around())
    page = "".join(report.pieces([one]))
    assert [tuple(map(int, cell)) for cell in re.findall(r'class="s\d+ r(\d) c(\d)"', page)] == [
        divmod(at, 3) for at in range(9)
    ]
    assert ".r2{grid-row:3}" in page and " style=" not in page


@hypothesis.given(hypothesis.strategies.integers(0, 5000), hypothesis.strategies.integers(400, 3000))
@hypothesis.settings(max_examples=40, deadline=None)
def test_what_is_told_is_in_order_and_within_bounds(n: int, most: int) -> None:
    """Spans rise, do not touch another's tokens, and are no more than was allowed."""
    spans = report._told(ledger_of(n), most)
    edges = [edge for span in spans for edge in span]
    assert edges == sorted(edges) and all(first < stop for first, stop in spans)
    count = sum(stop - first for first, stop in spans)
    assert count == n if n <= most else most * 3 // 4 <= count <= most and spans[0][0] == 0


def test_what_else_was_asked_stands_in_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text, out = tmp_path / "t.txt", tmp_path / "t.html"
    text.write_text("BACABCAB")
    asked = ["--conventions", "--by", "word", "--compare", "abc", "--segmentations"]
    assert main(["score", str(text), "--model", "abc", *asked, "--report", str(out)]) == 0
    said = capsys.readouterr().out
    page = out.read_text("utf-8")
    for words in ("lm-evaluation-harness, rolling", "8 bytes that both score", "bits per byte", "way to cut it"):
        assert words in page and words in said
    inside = page.partition("<pre>")[2].partition("</pre>")[0]
    monkeypatch.setattr("arplay.export.report.LINES", 3)
    assert main(["score", str(text), "--model", "abc", *asked, "--report", str(out)]) == 0
    cut = out.read_text("utf-8").partition("<pre>")[2].partition("</pre>")[0].split("\n")
    lines = inside.split("\n")
    assert cut == [*lines[:3], f"… and {len(lines) - 3:,} more lines, which JSON has (arplay score --json)"]
    assert main(["score", str(text), "--model", "abc", "--report", str(out)]) == 0
    assert "<pre>" not in out.read_text("utf-8"), "nothing else was asked"
