"""Pictures: each probability of the nine-pixel model by brute force, in any order; files, texts, the command line."""

from __future__ import annotations

import itertools
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import arplay
from arplay.cli import main
from arplay.core.errors import Problem
from arplay.core.modalities.image import Paint, Picture, Raster
from arplay.models import catalogue, documents
from arplay.models.families.joint.model import Joint
from arplay.models.picturefile import read_picture

XO = Path(__file__).parent.parent / "assets" / "models" / "xo.json"
CROSS = ("#.#", ".#.", "#.#")
ORDERS = st.permutations(range(9))


def joint(order: list[int] | None = None, **changes: object) -> dict[str, object]:
    content = json.loads(XO.read_text("utf-8")) | changes
    return content | ({"order": order} if order is not None else {})


def model(folder: Path, order: list[int] | None = None, **changes: object) -> Joint:
    path = folder / "mine.json"
    path.write_text(json.dumps(joint(order, **changes)), "utf-8")
    made = catalogue.load(str(path), "cpu", "auto", lambda *_: None)
    assert isinstance(made, Joint)
    return made


def by_hand(picture: tuple[int, ...]) -> float:
    """The sum over the patterns of p_k times the product of its pixels', straight from the file."""
    total = 0.0
    for pattern in json.loads(XO.read_text("utf-8"))["patterns"]:
        drawn = [".#".index(sign) for row in pattern["rows"] for sign in row]
        total += pattern["p"] * math.prod(
            1 - pattern["slip"] if mine == theirs else pattern["slip"]
            for mine, theirs in zip(picture, drawn, strict=True)
        )
    return total


def total(made: Joint, picture: tuple[int, ...]) -> float:
    ids = [picture[cell] for cell in made.alphabet.order]
    return float(made.session().extend(ids).logprob.sum())


def test_all_512_pictures_sum_to_one_and_each_is_as_by_hand() -> None:
    made = catalogue.load(str(XO), "cpu", "auto", lambda *_: None)
    assert isinstance(made, Joint)
    pictures = list(itertools.product((0, 1), repeat=9))
    found = [math.exp(total(made, picture)) for picture in pictures]
    assert len(found) == 512 and math.fsum(found) == pytest.approx(1, abs=1e-12)
    assert found == pytest.approx([by_hand(picture) for picture in pictures], rel=1e-12)


@given(ORDERS, st.tuples(*[st.integers(0, 1)] * 9))
def test_every_order_of_one_joint_gives_the_same_total(order: list[int], picture: tuple[int, ...]) -> None:
    made = Joint(*_parts(order))
    assert total(made, picture) == pytest.approx(math.log(by_hand(picture)), abs=1e-10)
    ids = [picture[cell] for cell in order]
    steps = made.session().extend(ids).logprob
    assert made.teacher_forced(ids) == pytest.approx(steps, abs=1e-9)


def _parts(order: list[int]) -> tuple[str, Raster, list[float], np.ndarray, str]:
    content = joint()
    patterns = content["patterns"]
    raster = Raster(3, 3, ".#", tuple(order))
    pixels = np.empty((3, 9, 2))
    for k, pattern in enumerate(patterns):  # type: ignore[arg-type,var-annotated]
        drawn = [".#".index(sign) for row in pattern["rows"] for sign in row]
        pixels[k] = pattern["slip"]
        pixels[k, range(9), drawn] = 1 - pattern["slip"]
    return "xo", raster, [pattern["p"] for pattern in patterns], pixels, "here"  # type: ignore[attr-defined]


def test_steps_differ_between_orders_though_totals_do_not() -> None:
    """Negative control: an order is no name only."""
    picture = tuple(".#".index(sign) for row in CROSS for sign in row)
    forth, back = Joint(*_parts(list(range(9)))), Joint(*_parts(list(range(8, -1, -1))))
    first = forth.session().extend([picture[cell] for cell in range(9)]).logprob
    other = back.session().extend([picture[cell] for cell in range(8, -1, -1)]).logprob
    centre = (first[1], other[7])  # the same pixel
    assert centre[0] != pytest.approx(centre[1]) and first.sum() == pytest.approx(other.sum())


def score(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    assert main(["score", *arguments, "--json"]) == 0
    told: dict[str, object] = json.loads(capsys.readouterr().out)
    return told


@pytest.mark.parametrize("side", [1, 7])
def test_the_command_scores_a_png_and_a_text_alike(
    side: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ink = np.array([[sign == "#" for sign in row] for row in CROSS])
    png, text = tmp_path / "x.png", tmp_path / "x.txt"
    Image.fromarray(np.kron(255 * (1 - ink), np.ones((side, side))).astype(np.uint8)).save(png)
    text.write_text("\n".join(CROSS) + "\n", "utf-8")
    drawn, written = (score(capsys, str(path), "--model", "xo") for path in (png, text))
    assert drawn["totals"] == written["totals"] and drawn["tokens"] == written["tokens"]
    totals = drawn["totals"]
    picture = tuple(int(level) for row in ink for level in row)
    assert isinstance(totals, dict) and "bits_per_byte" not in totals and "bytes" not in totals
    assert totals["bits_per_dimension"] == pytest.approx(-math.log2(by_hand(picture)) / 9, rel=1e-12)
    assert totals["pixels"] == totals["pixels_total"] == 9
    tokens = drawn["tokens"]
    assert isinstance(tokens, list)
    assert [(t["row"], t["column"], t["text"]) for t in tokens] == [
        (r, c, CROSS[r][c]) for r in range(3) for c in range(3)
    ]


def test_two_orders_have_one_total_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "spiral.json"
    other.write_text(json.dumps(joint([4, 0, 8, 1, 7, 2, 6, 3, 5])), "utf-8")
    text = tmp_path / "x.txt"
    text.write_text("### #.# ##.", "utf-8")
    first, second = (score(capsys, str(text), "--model", name)["totals"] for name in ("xo", str(other)))
    assert isinstance(first, dict) and isinstance(second, dict)
    assert first["nll_nats"] == pytest.approx(second["nll_nats"], abs=1e-12)


def test_the_centre_first_is_the_same_joint_in_another_order() -> None:
    own, other = (json.loads(path.read_text("utf-8")) for path in (XO, XO.with_name("xo-centre.json")))
    assert own["patterns"] == other["patterns"] and own["signs"] == other["signs"] and own["order"] != other["order"]


@given(ORDERS, st.tuples(*[st.integers(0, 1)] * 9))
def test_a_whole_picture_is_told_with_its_total_in_other_orders(order: list[int], picture: tuple[int, ...]) -> None:
    made = Joint(*_parts(order))
    encoded = Picture(3, ".#", picture).encoded(made.alphabet)
    (note,) = made.told_of(encoded)
    told = re.findall(r"(by rows|by columns|backwards) \u2212(\d+\.\d{4})", note.sentence)
    assert len(told) == 2 and note.sentence.count(" = ") == 2 and "= in this order" in note.sentence
    assert {value for _, value in told} == {f"{-math.log(by_hand(picture)):.4f}"}
    assert not made.told_of(encoded.part(0, 8))


def test_orders_that_differ_would_be_told_as_unequal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control."""
    made = Joint(*_parts(list(range(9))))
    chain = Joint._sum
    monkeypatch.setattr(Joint, "_sum", lambda self, order, levels: chain(self, order[:5], levels))
    (note,) = made.told_of(made.alphabet.picture(["##.", "..#", "..."]).encoded(made.alphabet))
    assert note.sentence.count(" ≠ ") == 2 and "=" not in note.sentence


def test_what_cannot_be_is_equal_in_every_order(tmp_path: Path) -> None:
    made = model(tmp_path, [0, 1], patterns=[{"p": 1, "slip": 0, "rows": ["#."]}])
    encoded = made.alphabet.picture(["##"]).encoded(made.alphabet)
    assert made.told_of(encoded)[0].sentence.startswith("backwards \u2212inf = in this order")


def test_models_info_tells_size_levels_and_order(capsys: pytest.CaptureFixture[str]) -> None:
    for name, order in (("xo", "by rows"), ("xo-centre", "in the order 4, 0, 1, 2, 3, 5, 6, 7, 8")):
        assert main(["models", "info", name]) == 0
        said = capsys.readouterr().out
        assert f"3 × 3 pixels of 2 levels (.#), read {order}\n" in said and "vocabulary      2" in said


def test_next_and_sample_go_on_from_a_part(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["next", "--model", "xo", "--prompt", "#.#", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["prefix"]["picture"] == ["#.#", "???", "???"] and told["prefix"]["ids"] == [1, 0, 1]
    assert math.fsum(item["prob"] for item in told["top"]) == pytest.approx(1)
    assert main(["sample", "--model", "xo", "--prompt", "#.# .", "--seed", "5", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["stopped"] == "complete" and len(told["steps"]) == 5
    assert told["text"].startswith("#.#\n.") and "?" not in told["text"]
    assert main(["next", "--model", "xo", "--prompt", " ".join(CROSS)]) == 1
    assert "complete" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"##\n##\n", "2 × 2 was given to a model of 3 × 3"),
        (b"#x#\n...\n...\n", "'x' is no level"),
        (b"\x89PNG\r\n\x1a\nno more", "cannot be read as a picture"),
        (b"\xff\xfe", "not UTF-8"),
        (b"", "0 × 0"),
    ],
)
def test_what_is_no_picture_is_told(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "bad"
    path.write_bytes(content)
    with pytest.raises(Problem, match=said.replace("(", r"\(")):
        read_picture(path, Raster(3, 3, ".#", tuple(range(9))))


BAD: list[tuple[dict[str, object], str]] = [
    ({"order": [0, 1, 2]}, "each pixel once"),
    ({"order": [0] * 9}, "each pixel once"),
    ({"order": "abc"}, "order is"),
    ({"signs": "."}, "signs must be"),
    ({"signs": ".?"}, "signs must be"),
    ({"signs": ".."}, "signs must be"),
    ({"patterns": []}, "no pattern"),
    ({"patterns": [{"p": 0.5, "slip": 0, "rows": ["##"]}], "order": [0, 1]}, "sum to 0.5"),
    ({"patterns": [{"p": 2, "slip": 0, "rows": ["##"]}]}, "patterns"),
    ({"patterns": [{"p": 1, "slip": 0, "rows": ["#?"]}], "order": [0, 1]}, "leaves pixels open"),
    ({"patterns": [{"p": 1, "slip": 0, "rows": ["#x"]}], "order": [0, 1]}, "no level"),
    ({"patterns": [{"p": 1, "slip": 0, "rows": ["#" * 65] * 65}], "order": [0]}, "more than"),
    ({"more": 1}, "unknown"),
]


@pytest.mark.parametrize(("changes", "said"), BAD)
def test_what_is_no_joint_is_told(changes: dict[str, object], said: str, tmp_path: Path) -> None:
    with pytest.raises(Problem, match=said) as told:
        model(tmp_path, **changes)
    assert str(told.value).startswith("mine.json")


@given(st.lists(st.tuples(st.lists(st.integers(0, 8), unique=True), st.none() | st.integers(0, 1)), max_size=8))
def test_paint_is_undone_exactly(strokes: list[tuple[list[int], int | None]]) -> None:
    picture = Raster(3, 3, ".#", tuple(range(9))).blank()
    states, edits = [picture], list[Paint]()
    for cells, level in strokes:
        edits.append(states[-1].paint(cells, level))
        states.append(states[-1].apply(edits[-1]))
    for edit, before, after in zip(reversed(edits), reversed(states[:-1]), reversed(states[1:]), strict=True):
        assert after.apply(edit.inverse) == before


def test_a_picture_is_read_up_to_its_first_open_pixel() -> None:
    raster = Raster(3, 3, ".#", (8, 7, 6, 5, 4, 3, 2, 1, 0))
    picture = raster.picture(["#..", "?#.", ".##"])

    def remember(key: object, make: object) -> object:
        raise AssertionError("nothing of a picture is worth remembering")

    encoded = picture.encoded(raster, False, remember)  # type: ignore[arg-type]
    assert encoded.ids.tolist() == [1, 1, 0, 0, 1]
    assert picture.prefix(encoded, 2, raster, False).actual == 0
    assert picture.prefix(encoded, None, raster, False).actual is None
    assert [note.figure for note in picture.notes(encoded, raster)] == ["3"]
    with pytest.raises(Problem, match="other pixels"):
        Picture(2, ".#", (0,) * 4).encoded(raster, False, remember)  # type: ignore[arg-type]


@given(st.text(".#?", min_size=9, max_size=9), st.sampled_from(["xo", "xo-centre"]))
def test_painted_pixels_that_are_not_read_yet_are_told_with_what_comes_next(signs: str, name: str) -> None:
    model = arplay.load(name)
    order = model.vocabulary.order
    known = "".join(signs[cell] for cell in order).find("?")
    if known < 0:
        return  # a whole picture, after which nothing comes
    waiting = sum(signs[cell] != "?" for cell in order[known:])
    notes = model.next(" ".join([signs[:3], signs[3:6], signs[6:]])).notes
    assert len(notes) == (waiting > 0)
    assert all(f"{waiting} token" in note and "not read yet" in note for note in notes)


def test_the_command_line_tells_what_is_not_read_yet(capsys: pytest.CaptureFixture[str]) -> None:
    for name, said in (("xo-centre", True), ("xo", False)):
        assert main(["next", "--model", name, "--prompt", "#"]) == 0
        assert ("not read yet" in capsys.readouterr().err) == said


def test_a_document_is_of_the_kind_that_its_model_reads() -> None:
    assert isinstance(documents.read("xo", "#", None, None).document, Picture)
    assert documents.read("abc", "AB", None, None).document.before(documents.read("abc", "AB", None, None).document.end)
    assert documents.tokens_of("abc") is None and documents.tokens_of("english") is None
    assert documents.tokens_of("not/there") is None and documents.tokens_of(str(XO)) is not None
