"""The page of a scoring run: whole, valid in itself, with the numbers of the JSON and every plot."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import arplay
from arplay.cli import main
from arplay.core.signs import markup
from arplay.export.plot_svg import DRAWN
from arplay.export.plots import PLOTS

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
