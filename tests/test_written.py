"""Text that a model writes for a recipe: many rollouts at once, kept, told where it is another text."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from arplay import paths
from arplay.core.errors import Problem
from arplay.models.hf.chains import rollouts
from arplay.models.hf.networks import llama
from arplay.training.corpus import Source, digest_of, documents
from arplay.training.readers import stories
from arplay.training.written import Prompts, write

PROMPTS = """
model = "english"
seed = 3
temperature = 0.8
batches = 2
batch = 3
pieces = 6
ends = ["<|endoftext|>"]
template = "The {who} was {what}"

[words]
who = ["man", "boy", "girl"]
what = ["here", "there"]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "prompts.toml"
    path.write_text(PROMPTS, encoding="utf-8")
    return path


def test_rollouts_draw_from_the_conditionals_of_each_prefix() -> None:
    torch.manual_seed(1)
    network = llama(40, 16, 2, 2, 32, 32).eval()
    prefixes = torch.randint(0, 40, (5, 3))
    drawn = rollouts(network, prefixes, 7, 0.7, [], 11)
    draw = torch.Generator().manual_seed(11)
    row = prefixes
    with torch.inference_mode():
        for _ in range(7):  # once more without a cache: the same uniform numbers choose the same tokens
            mass = torch.softmax(network(row).logits[:, -1] / 0.7, -1).cumsum(-1)
            row = torch.cat([row, torch.searchsorted(mass, torch.rand(5, 1, generator=draw) * mass[:, -1:])], 1)
    assert drawn == row[:, 3:].tolist()


def test_a_rollout_is_cut_at_the_end_of_its_text() -> None:
    torch.manual_seed(1)
    network = llama(12, 16, 2, 2, 32, 64).eval()
    prefixes = torch.zeros((8, 1), dtype=torch.int64)
    whole = rollouts(network, prefixes, 40, 1.0, [], 5)
    cut = rollouts(network, prefixes, 40, 1.0, [4, 7], 5)
    for all_of_it, part in zip(whole, cut, strict=True):
        end = next((i for i, id in enumerate(all_of_it) if id in (4, 7)), len(all_of_it))
        assert part == all_of_it[: min(end, len(part))]
        assert not {4, 7} & set(part)
    assert any(len(part) < 40 for part in cut)


def test_at_hardly_any_temperature_the_likeliest_token_is_drawn() -> None:
    torch.manual_seed(1)
    network = llama(40, 16, 2, 2, 32, 32).eval()
    prefixes = torch.randint(0, 40, (4, 3))
    with torch.inference_mode():
        likeliest = network(prefixes).logits[:, -1].argmax(-1).tolist()
    assert [row[0] for row in rollouts(network, prefixes, 1, 1e-4, [], 2)] == likeliest


def test_batches_are_kept_and_only_the_missing_one_is_written_again(file: Path, tmp_path: Path) -> None:
    said: list[str] = []
    folder = write(Prompts.read(file), tmp_path / "cache", said.append)
    batches = [path.read_bytes() for path in sorted(folder.iterdir())]
    assert len(batches) == 2
    assert all(len(texts) == 3 and all(map(str.strip, texts)) for texts in map(json.loads, batches))
    assert said == [f"english writes text, batch {n} of 2" for n in (1, 2)]
    (folder / "0001.json").unlink()
    said.clear()
    assert write(Prompts.read(file), tmp_path / "cache", said.append) == folder
    assert [path.read_bytes() for path in sorted(folder.iterdir())] == batches
    assert said == ["english writes text, batch 2 of 2"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("seed = 3", "seed = -3"),
        ("batches = 2", "batches = 1000000"),
        ("temperature = 0.8", "temperature = 0"),
        ("{what}", "{where}"),
        ("{what}", "{what.__class__}"),
        ("{what}", "{what:>999999999}"),
        ("{what}", "{what!r}"),
        ("{what}", "{}"),
        ("{what}", "{"),
        ('what = ["here", "there"]', "what = []"),
        ("pieces = 6", "pieces = 6\nrows = 3"),
        ("[words]", "[words"),
    ],
)
def test_a_file_of_prompts_that_says_something_else_is_refused(file: Path, old: str, new: str) -> None:
    file.write_text(PROMPTS.replace(old, new), encoding="utf-8")
    with pytest.raises(Problem, match=r"prompts\.toml holds no prompts"):
        Prompts.read(file)


def test_a_missing_file_model_or_end_is_told(file: Path, tmp_path: Path) -> None:
    with pytest.raises(Problem, match="cannot read"):
        Prompts.read(tmp_path / "none.toml")
    prompts = Prompts.read(file)
    with pytest.raises(Problem, match="the model nobody, which writes part of the text, is not here"):
        write(replace(prompts, model="nobody"), tmp_path / "cache", print)
    with pytest.raises(Problem, match="english has no token <end>"):
        write(replace(prompts, ends=("<end>",)), tmp_path / "cache", print)


def test_another_text_than_the_recipe_means_is_told(file: Path, tmp_path: Path) -> None:
    said: list[str] = []
    source = Source("stories", "model", file.name, "1", "ours", 1, "")
    cache = tmp_path / "cache"
    folder = write(Prompts.read(file), cache, said.append)
    story = " ".join(f"On day {n} the old man went home and saw his dog." for n in range(6))
    (folder / "0000.json").write_text(json.dumps([story]), encoding="utf-8")
    said.clear()
    found = documents(source, file.parent, cache, said.append)
    assert said == [f"stories: written otherwise than on the machine of the recipe (sha256 {digest_of(found)})"]
    said.clear()
    assert documents(replace(source, sha256=digest_of(found)), file.parent, cache, said.append) == found
    assert said == []


def test_a_story_ends_with_a_whole_sentence_and_does_not_go_round_in_circles(tmp_path: Path) -> None:
    good = " ".join(f"The old man saw number {n} of the birds." for n in range(8))
    other = good.replace("man", "woman")
    texts = [good + " Then he", "He ran. " * 40, "Too short.", good + " caf\u00e9.", f"{good}\n\n\u201c{other}\u201d"]
    (tmp_path / "0000.json").write_text(json.dumps(texts), encoding="utf-8")
    (first_name, first), (second_name, second) = stories(tmp_path)
    assert (first_name, first) == ("0000 1", good)
    assert second_name == "0000 5"
    assert second == f'{good}\n\n"{other}"'


def test_the_prompts_of_english_are_whole() -> None:
    prompts = Prompts.read(paths.assets() / "recipes/stories.toml")
    assert prompts.model == "smollm2"
    assert prompts.batches * prompts.batch > 2000
