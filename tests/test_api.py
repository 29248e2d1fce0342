"""The Python interface: the numbers of the command line, whatever a document is given as, and errors that help."""

from __future__ import annotations

import inspect
import json
import math
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import arplay
from arplay.cli import main
from arplay.core.format import number
from arplay.gui.theme import LIGHT
from arplay.gui.widgets.heat.scale import HeatScale
from tests import tiny_models
from tests.hostile import PARTS, raw
from tests.test_walls import QT, TORCH, behind_the_wall

CROSS = "#.# .#. #.#"
LONG = "It was a dark night, and the wind was in the trees. " * 50
TEXTS = {"english": "It was a dark night.", "abc": "BACABBA", "xo": CROSS, "tiny": "The cat sat on the mat. " * 9}
Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, arplay.Model]:
    """Each is loaded once. "tiny": a context of 24 and a tokenizer that puts a separator before every text."""
    tiny = tiny_models.save(tmp_path_factory.mktemp("tiny"), "llama", adds_separator=True)
    return {name: arplay.load(name) for name in ("english", "abc", "xo")} | {"tiny": arplay.load(tiny)}


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str], models: dict[str, arplay.Model], tmp_path: Path) -> Ask:
    """What a command writes with --json about a model and a text."""

    def run(command: str, name: str, text: str, *options: str) -> Any:
        spec = models[name].info.source if name == "tiny" else name
        path = tmp_path / "given.txt"
        path.write_bytes(text.encode())
        prompt = [str(path)] if command == "score" else ["--prompt", text]
        assert main([command, *prompt, "--model", spec, "--json", *options]) == 0, capsys.readouterr().err
        return json.loads(capsys.readouterr().out)

    return run


def near(name: str) -> float:
    """What numbers may differ by, in nats: float32 read in chunks of other sizes; a table has no such excuse."""
    return 1e-12 if name in ("abc", "xo") else 1e-4


def told(value: Any) -> Any:
    """As it is after a way through JSON."""
    from arplay.export.writers import to_json

    return json.loads(to_json(value))


# the same numbers


@pytest.mark.parametrize(
    ("name", "text"), [*TEXTS.items(), ("english", LONG), ("abc", ""), ("english", "é\u202e <b>\n")]
)
def test_scores_are_those_of_the_command(name: str, text: str, ask: Ask, models: dict[str, arplay.Model]) -> None:
    said, score = ask("score", name, text), models[name].score(text)
    rows, totals = said["tokens"], said["totals"]
    assert list(score.tokens) == [row["text"] for row in rows] and len(score) == len(rows)
    for column, mine in (("logprob", score.logprob), ("entropy", score.entropy)):
        theirs = [math.nan if row[column] is None else row[column] for row in rows]
        assert mine.tolist() == pytest.approx(theirs, abs=near(name), nan_ok=True)
    assert score.ids.tolist() == [row["id"] for row in rows]
    assert score.rank.tolist() == [row["rank"] or 0 for row in rows]
    assert score.context.tolist() == [row["context"] for row in rows]
    assert (score.nll_nats, score.nll_bits) == pytest.approx((totals["nll_nats"], totals["nll_bits"]))
    assert score.perplexity == (None if totals["perplexity"] is None else pytest.approx(totals["perplexity"]))
    key = "bits_per_dimension" if name == "xo" else "bits_per_byte"
    assert getattr(score, key) == (None if totals[key] is None else pytest.approx(totals[key]))
    assert list(score.notes) == totals["notes"]
    again = told(score.as_dict())
    assert again["model"] == said["model"] and again["totals"].keys() == totals.keys()


def test_a_long_text_is_windowed(models: dict[str, arplay.Model]) -> None:
    """Negative control of the comparison above: the context of its tokens is cut, and that changes numbers."""
    model = models["english"]
    score, context = model.score(LONG), model.info.context
    assert context is not None and len(score) > context and score.context.max() == context
    assert score.context[-1] < len(score)
    ids = score.ids.tolist()
    part = model.backend.teacher_forced(ids[-int(score.context[-1]) - 1 :])
    assert score.logprob[-1] == pytest.approx(part[-1], abs=1e-4)
    shifted = model.backend.teacher_forced(ids[-context // 4 :])
    assert score.logprob[-1] != pytest.approx(shifted[-1], abs=1e-9)


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("pipeline", ["", "temperature:0.8,top-p:0.9", "top-k:2"])
def test_the_next_token_is_that_of_the_command(
    name: str, pipeline: str, ask: Ask, models: dict[str, arplay.Model]
) -> None:
    text = TEXTS[name][:5] if name == "xo" else TEXTS[name]
    said = ask("next", name, text, "--pipeline", pipeline, "--top", "5", "--find", "a")
    model = models[name]
    after = model.next(text, pipeline)
    for mine, theirs in ((after.top(5), said["top"]), (after.find("a"), said["found"])):
        assert [(token.id, token.text, token.rank) for token in mine] == [
            (row["id"], row["text"], row["rank"]) for row in theirs
        ]
        for column in ("logprob", "prob", "decoded_prob"):
            got = [getattr(token, column) for token in mine]
            assert got == pytest.approx([row[column] for row in theirs], abs=near(name))
    assert after.entropy == pytest.approx(said["entropy"]["nats"])
    assert after.logprobs.shape == (model.info.vocabulary,) == (len(model.vocabulary),)
    assert math.fsum(np.exp(after.logprobs)) == pytest.approx(1)
    assert told(after.as_dict(5, "a"))["prefix"] == said["prefix"]


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("at_limit", ["stop", "slide"])
def test_a_sample_is_that_of_the_command(name: str, at_limit: Any, ask: Ask, models: dict[str, arplay.Model]) -> None:
    text, model = TEXTS[name][:5], models[name]
    options = ("-n", "30", "--seed", "7", "--pipeline", "temperature:0.8,top-p:0.95", "--at-limit", at_limit)
    said = ask("sample", name, text, *options)
    sample = model.sample(text, 30, seed=7, pipeline="temperature:0.8,top-p:0.95", at_limit=at_limit)
    assert (sample.text, sample.stopped) == (said["text"], said["stopped"]) and str(sample) == sample.text
    assert sample.ids.tolist() == [step["id"] for step in said["steps"]]
    assert sample.rank.tolist() == [step["rank"] for step in said["steps"]]
    assert sample.logprob.tolist() == pytest.approx([step["logprob"] for step in said["steps"]], abs=near(name))
    assert sample.u.tolist() == [step["u"] for step in said["steps"]]
    assert told(sample.as_dict()).keys() == said.keys()
    stream = model.stream(text, 30, pipeline="temperature:0.8,top-p:0.95", at_limit=at_limit, us=sample.u)
    assert (stream.steps, stream.text, stream.stopped) == ([], "", "")
    assert "".join(stream) == stream.text == sample.text == "".join(stream)  # a second time what was drawn
    assert model.sample(text, 30, seed=8).ids.tolist() != sample.ids.tolist()
    same = model.sample(text, np.int64(30), seed=np.uint64(7), pipeline="temperature:0.8,top-p:0.95", at_limit=at_limit)
    assert told(same.as_dict()) == told(sample.as_dict())
    with pytest.raises(TypeError):
        model.sample(text, 3, seed=1.5)  # type: ignore[arg-type]


def test_how_a_document_is_read_is_a_choice(ask: Ask, models: dict[str, arplay.Model]) -> None:
    model, text = models["tiny"], "<|endoftext|> cat"
    plain = model.score(text)
    try:
        for reading, options in (
            (arplay.Reading(first_token="unscored"), ["--first-token", "unscored"]),
            (arplay.Reading(special=True), ["--special"]),
            (arplay.Reading(window_lead=True), ["--window-lead"]),
        ):
            model.reading = reading
            for given in (text, TEXTS["tiny"]):
                said = ask("score", "tiny", given, *options)["totals"]
                assert model.score(given).nll_nats == pytest.approx(said["nll_nats"])
        model.reading = arplay.Reading(special=True)
        assert len(model.score(text)) < len(plain)
    finally:
        model.reading = arplay.Reading()
    assert np.array_equal(model.score(text).logprob, plain.logprob)


# what may be given


def test_a_picture_may_be_given_in_many_ways(models: dict[str, arplay.Model], tmp_path: Path) -> None:
    model = models["xo"]
    levels = np.array([[sign == "#" for sign in row] for row in CROSS.split()])
    png, grid = tmp_path / "x.png", tmp_path / "x.txt"
    Image.fromarray(np.kron(255 * (1 - levels), np.ones((3, 3))).astype(np.uint8)).save(png)
    grid.write_text(CROSS.replace(" ", "\n"), "utf-8")
    ways: list[Any] = [png, grid, str(png), str(grid), CROSS, CROSS.replace(" ", "\n"), CROSS.encode()]
    ways += [levels, levels.astype(np.uint8), levels.astype(np.int64)]
    ways.append(model.next("").document)
    scores = [model.score(way) for way in ways]
    assert len({score.bits_per_dimension for score in scores[:-1]}) == 1 and len(scores[-1]) == 0
    assert model.score(CROSS.replace("#", ".", 1)).bits_per_dimension != scores[0].bits_per_dimension
    open_cells = np.where(np.arange(9).reshape(3, 3) < 4, levels, -1)
    assert model.next(open_cells).answer.prefix.index == 4 == model.next("#.# .").answer.prefix.index
    assert model.sample(open_cells, seed=5).text == model.sample("#.# .", seed=5).text


def test_a_level_too_large_for_64_bits_is_none_that_is_open(models: dict[str, arplay.Model]) -> None:
    with pytest.raises(arplay.Problem, match="18446744073709551615 is no level"):
        models["xo"].next(np.full((3, 3), 2**64 - 1, np.uint64))


def test_a_text_may_be_given_in_many_ways(models: dict[str, arplay.Model], tmp_path: Path) -> None:
    path = tmp_path / "BAC"
    path.write_bytes(b"CCC")
    model = models["abc"]
    assert model.score("BAC").tokens == model.score(b"BAC").tokens == ("B", "A", "C")
    assert model.score(path).tokens == ("C", "C", "C")  # a str is never taken for a path


PIPELINES = ["temperature:0.5,top-k:2", ["temperature:0.5", "top-k:2"], [("temperature", 0.5), ("top-k", [2])],
             [{"stage": "temperature", "T": 0.5}, {"stage": "top-k", "k": 2}],
             '[{"stage": "temperature", "T": 0.5}, {"stage": "top-k", "k": 2}]']  # fmt: skip


@pytest.mark.parametrize("said", PIPELINES, ids=repr)
def test_a_pipeline_may_be_given_in_many_ways(said: Any, models: dict[str, arplay.Model]) -> None:
    wanted = arplay.Pipeline.of(temperature=0.5, top_k=2)
    assert arplay.Pipeline(said) == wanted == arplay.Pipeline(wanted)
    assert [token.decoded_prob for token in models["abc"].next("BA", said).top(3)] == pytest.approx([0.8, 0.2, 0.0])
    p = np.log([0.1, 0.2, 0.3, 0.4])
    after = arplay.Pipeline(said).apply(p)
    assert after.shape == p.shape and math.fsum(np.exp(after)) == pytest.approx(1)
    assert np.count_nonzero(after > -np.inf) == 2 and p.tolist() == np.log([0.1, 0.2, 0.3, 0.4]).tolist()


# errors

WRONG: list[Callable[[dict[str, arplay.Model]], object]] = [
    lambda m: arplay.load("no-such-model"),
    lambda m: arplay.load("english", device="gpu"),  # type: ignore[arg-type]
    lambda m: arplay.load("english", dtype="f16"),  # type: ignore[arg-type]
    lambda m: arplay.load(Path(__file__)),
    lambda m: arplay.Reading(first_token="eso"),  # type: ignore[arg-type]
    lambda m: arplay.Pipeline("beam:4"),
    lambda m: arplay.Pipeline(3),  # type: ignore[arg-type]
    lambda m: arplay.Pipeline([("top-k", 2, 3)]),
    lambda m: arplay.Pipeline([3]),
    lambda m: m["abc"].next("BA", "top-p:2"),
    lambda m: m["abc"].next("XYZ"),
    lambda m: m["abc"].next("\x1b[2J"),
    lambda m: arplay.load("\x1b[2J\u202e"),
    lambda m: m["abc"].score("\udc80"),
    lambda m: m["english"].score(b"\xff"),
    lambda m: m["english"].score(Path("/no/such/file")),
    lambda m: m["english"].score(Path(__file__).parent),
    lambda m: m["english"].score(7),  # type: ignore[arg-type]
    lambda m: m["english"].score(["a", "b"]),  # type: ignore[arg-type]
    lambda m: m["english"].score(np.zeros((3, 3), int)),
    lambda m: m["english"].score("a").bits_per_dimension,
    lambda m: m["english"].score(m["xo"].next("").document),
    lambda m: m["xo"].score("a").bits_per_byte,
    lambda m: m["xo"].score("#.#.").ids,
    lambda m: m["xo"].score("no-such-file.png"),
    lambda m: m["xo"].score("#x# ... ..."),
    lambda m: m["xo"].score("a\0b"),
    lambda m: m["xo"].score("x" * 5000),
    lambda m: m["xo"].score("\ud800"),
    lambda m: m["xo"].score(np.zeros((3, 3))),
    lambda m: m["xo"].score(np.zeros((3, 4), int)),
    lambda m: m["xo"].score(np.full((3, 3), 2)),
    lambda m: m["xo"].score(np.full((3, 3), -2)),
    lambda m: m["xo"].score(m["abc"].next("A").document),
    lambda m: m["xo"].next(CROSS),
    lambda m: m["abc"].sample("B", -1),
    lambda m: m["abc"].sample("B", seed=-1),
    lambda m: m["abc"].sample("B", seed=2**64),
    lambda m: m["abc"].sample("B", us=[0.5, 1.0]),
    lambda m: m["abc"].sample("B", us=[math.nan]),
    lambda m: m["abc"].sample("B", us=["x"]),  # type: ignore[list-item]
    lambda m: m["abc"].sample("B", us=np.zeros((2, 2))),
    lambda m: m["abc"].sample("B", at_limit="go on"),  # type: ignore[arg-type]
    lambda m: m["abc"].timings("B"),
]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: inspect.getsource(wrong).strip())
def test_what_goes_wrong_has_a_cause_and_a_remedy(
    wrong: Callable[[dict[str, arplay.Model]], object], models: dict[str, arplay.Model]
) -> None:
    with pytest.raises(arplay.Problem) as caught:
        wrong(models)
    assert caught.value.cause and caught.value.remedy and not raw(str(caught.value))


def test_a_model_without_p_of_the_first_token_says_so(models: dict[str, arplay.Model]) -> None:
    model = models["english"]
    try:
        model.reading = arplay.Reading(first_token="unscored")
        assert math.isnan(model.score("It was").logprob[0])
        with pytest.raises(arplay.Problem):
            model.next("")
    finally:
        model.reading = arplay.Reading()
    assert model.next("").top(1)


def test_progress_is_told_and_may_cancel() -> None:
    heard: list[tuple[float | None, str]] = []
    arplay.load("english", progress=lambda fraction, what: heard.append((fraction, what)))
    assert heard and all(what for _, what in heard)

    class EnoughError(Exception):
        pass

    def stop(fraction: float | None, what: str) -> None:
        raise EnoughError

    with pytest.raises(EnoughError):
        arplay.load("english", progress=stop)


def test_another_question_between_two_tokens_changes_neither(models: dict[str, arplay.Model]) -> None:
    model = models["english"]
    wanted = model.score(TEXTS["english"]).logprob
    stream = model.stream("Once", 20, seed=3)
    whole = model.sample("Once", 20, seed=3)
    began = [next(iter(stream))]  # another question comes between two tokens
    assert np.allclose(model.score(TEXTS["english"]).logprob, wanted, atol=1e-4)
    first, second = iter(stream), iter(stream)
    both = [text for pair in zip(first, second, strict=True) for text in pair]
    assert "".join(both[::2]) == "".join(both[1::2]) == "".join(stream) == whole.text
    assert whole.text.startswith(began[0])


# tables and notebooks


def test_columns_are_the_rows_of_the_command(ask: Ask, models: dict[str, arplay.Model]) -> None:
    for name, text in TEXTS.items():
        rows, columns = ask("score", name, text)["tokens"], models[name].score(text).columns
        assert list(columns) == list(rows[0])
        for column, values in columns.items():
            theirs = [row[column] for row in rows]
            exact = not isinstance(theirs[-1], float)
            assert values == (theirs if exact else pytest.approx(theirs, abs=near(name))), column


def test_a_data_frame_needs_pandas(models: dict[str, arplay.Model], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(arplay.Problem, match=r"pip install 'arplay\[pandas\]'"):
        models["abc"].score("BAC").to_pandas()


def test_a_data_frame_has_the_columns(models: dict[str, arplay.Model]) -> None:
    pandas = pytest.importorskip("pandas")
    model = models["english"]
    try:
        model.reading = arplay.Reading(first_token="unscored")
        for score in (model.score("It was NA"), model.score("I"), model.score(""), models["xo"].score(CROSS)):
            frame = score.to_pandas()
            assert list(frame) == list(score.columns) and len(frame) == len(score)
            assert frame["text"].tolist() == list(score.tokens) and str(frame["rank"].dtype) == "Int64"
            assert frame["rank"].isna().tolist() == [rank == 0 for rank in score.rank]
            pandas.testing.assert_series_equal(frame["logprob"], pandas.Series(score.logprob, name="logprob"))
    finally:
        model.reading = arplay.Reading()


class Seen(HTMLParser):
    """The tags, attributes and letters of a page, and each cell's style by its title."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags, self.attributes = set[str](), set[str]()
        self.letters = ""
        self.cells: list[tuple[str, str, str]] = []
        self._cell: tuple[str, str] | None = None
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        given = {name: value or "" for name, value in attrs}
        self.attributes |= given.keys()
        self._cell = (given["style"], given["title"]) if "title" in given else None

    def handle_data(self, data: str) -> None:
        self.letters += data
        if self._cell is not None:
            self.cells.append((data, *self._cell))
            self._cell = None


def foreign(page: str) -> set[str]:
    """Tags and attributes that are not the page's own."""
    seen = Seen(page)
    return (seen.tags - {"div", "span", "br", "wbr"}) | (seen.attributes - {"style", "title"})


SIGNS = [*PARTS, "<b>", "<script>alert(1)</script>", '"', "'", "&", "&lt;", '" onmouseover="x', "\n", " ", "é", "<!--"]
SIGNS = list(dict.fromkeys(sign for sign in SIGNS if sign))


@pytest.fixture(scope="module")
def marks(tmp_path_factory: pytest.TempPathFactory) -> arplay.Model:
    """A table whose tokens and name are markup."""
    path = tmp_path_factory.mktemp("marks") / "<img src=x>.json"
    rows = {"": {sign: 1 / len(SIGNS) for sign in SIGNS}}
    path.write_text(json.dumps({"name": "<i>m</i>", "alphabet": SIGNS, "rows": rows}), "utf-8")
    return arplay.load(path)


@given(st.lists(st.sampled_from(SIGNS), max_size=12))
def test_nothing_of_a_text_or_model_is_markup(marks: arplay.Model, signs: list[str]) -> None:
    score = marks.score("".join(signs))
    page = score._repr_html_()
    assert foreign(page) == set()
    cells = Seen(page).cells
    assert [said for said, _, _ in cells] == [score.ledger.encoded.said(i, marks.vocabulary) for i in range(len(score))]
    assert all(char.isprintable() for char in page)
    assert "<i>m</i>" in Seen(page).letters


def test_markup_of_a_text_would_be_seen(marks: arplay.Model) -> None:
    page = marks.score("<b>&")._repr_html_()
    assert foreign(page.replace("&lt;", "<").replace("&gt;", ">")) != set()
    assert foreign('<div onmouseover="x">') == {"onmouseover"}


def test_a_notebook_has_the_heatmaps_colours(models: dict[str, arplay.Model]) -> None:
    for name, text in TEXTS.items():
        score, scale = models[name].score(text), HeatScale(LIGHT, "surprisal")
        cells, wanted = Seen(score._repr_html_()).cells, scale.shade(score.ledger, 0, len(score))
        assert len(cells) == len(score) and len(set(wanted)) > 1
        for (_, style, title), shade, logprob in zip(cells, wanted, score.logprob, strict=True):
            assert f"background:{scale.fills[shade].name()};color:{scale.inks[shade].name()}" in style
            assert f"log p {number(logprob)} nats" in title


def test_a_picture_stands_in_rows_and_columns(models: dict[str, arplay.Model]) -> None:
    score = models["xo"].score(CROSS)
    cells = Seen(score._repr_html_()).cells
    wanted = [f"grid-area:{row + 1}/{column + 1}" for row in range(3) for column in range(3)]
    assert all(place in style for place, (_, style, _) in zip(wanted, cells, strict=True))
    assert "grid-area" not in models["abc"].score("BAC")._repr_html_()


def test_what_is_not_scored_or_not_shown_is_told(models: dict[str, arplay.Model]) -> None:
    model = models["english"]
    try:
        model.reading = arplay.Reading(first_token="unscored")
        cells = Seen(model.score("It was")._repr_html_()).cells
    finally:
        model.reading = arplay.Reading()
    assert "not scored" in cells[0][2] and "repeating-linear-gradient" in cells[0][1]
    assert "log p" in cells[1][2]
    long = models["abc"].score("BAC" * 700)
    assert "100 more tokens" in Seen(long._repr_html_()).letters


# the door


def test_importing_arplay_is_light_and_never_opens_qt() -> None:
    script = """
import arplay
heavy = {"numpy", "torch", "transformers", "PySide6", "arplay.api"} & set(sys.modules)
assert not heavy, heavy
assert set(arplay.__all__) <= set(dir(arplay)) and not hasattr(arplay, "no_such_name")
model = arplay.load("abc")
assert model.score("BAC")._repr_html_() and model.sample("B", 3).text and model.next("B").top(2)
assert arplay.load("xo").score("#.# .#. #.#").bits_per_dimension
"""
    said = behind_the_wall([*QT, *TORCH], script)
    assert said.returncode == 0, said.stderr
    for name in ("torch", "PySide6"):  # control
        assert behind_the_wall([*QT, *TORCH], f"import {name}").returncode != 0


def test_a_network_opens_no_qt() -> None:
    script = "import arplay\nassert arplay.load('english').score('It was').nll_nats > 0"
    said = behind_the_wall(QT, script)
    assert said.returncode == 0, said.stderr


def test_all_that_is_public_is_documented_and_typed() -> None:
    def bare(thing: object) -> list[str]:
        members = [
            (name, member.fget if isinstance(member, property) else member)
            for name, member in vars(thing).items()
            if not name.startswith("_") and (callable(member) or isinstance(member, property))
        ]
        return [
            name for name, member in members if not inspect.getdoc(member) or "return" not in member.__annotations__
        ]

    for name in arplay.__all__:
        thing = getattr(arplay, name)
        assert inspect.getdoc(thing), name
        if thing.__module__ in ("arplay.api", "arplay.results", "arplay.samples") and inspect.isclass(thing):
            assert bare(thing) == [], name

    class Sloppy:
        def said(self):  # type: ignore[no-untyped-def]
            return 1

    assert bare(Sloppy) == ["said"]
