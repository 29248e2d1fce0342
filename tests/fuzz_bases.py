"""The good files that are damaged, a folder each, and beside them a file that none of them may make anybody open."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from arplay import paths
from arplay.core import kept
from arplay.core.kept import Session
from arplay.core.modalities.image import Raster
from arplay.core.modalities.text import Text
from arplay.core.tree import Step, Tree
from tests import tiny_runs
from tests.tiny_models import save, save_tokenizer, tokenizer

TRACE = {
    "decoding": {"mode": "sample", "temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0}, "seed": 1,
    "at_limit": "stop", "steps": [{"u": n / 8, "id": n, "text": "a"} for n in range(8)],
}  # fmt: skip


def make(root: Path) -> Path:
    """All of them in ``root``; that of a GGUF file only where llama.cpp is there to read it."""
    (root / "outside").mkdir(parents=True)
    (root / "outside" / "secret.json").write_text("{}")
    for family in ("llama", "gpt2", "mistral"):
        save(root / "bases" / family, family)
    _others(root / "bases")
    _files(root / "bases" / "files")
    _run(root / "bases" / "run")
    return root


def make_gguf(root: Path) -> None:
    from tests.tiny_ggufs import write

    (root / "bases" / "gguf").mkdir()
    write(root / "bases" / "gguf" / "case.gguf", "llama")


def _others(bases: Path) -> None:
    import torch
    import transformers

    size: dict[str, Any] = {"vocab_size": tokenizer().get_vocab_size(), "hidden_size": 16, "num_hidden_layers": 2}
    heads: dict[str, Any] = {"num_attention_heads": 2, "num_key_value_heads": 1, "intermediate_size": 16}
    torch.manual_seed(0)
    for name, made in (
        ("mixtral", transformers.MixtralForCausalLM(transformers.MixtralConfig(num_local_experts=4, **size, **heads))),
        ("mamba", transformers.MambaForCausalLM(transformers.MambaConfig(state_size=4, **size))),
    ):
        made.save_pretrained(bases / name)
        save_tokenizer(bases / name, tokenizer())


def _files(folder: Path) -> None:
    """What is no model's weights: recipe, prompts, trace, table, session, text."""
    folder.mkdir()
    assets = paths.assets()
    for name, source in (("recipe", "recipes/english.toml"), ("prompts", "recipes/stories.toml")):
        (folder / f"{name}.toml").write_bytes((assets / source).read_bytes())
    (folder / "table.json").write_bytes((assets / "models/abc.json").read_bytes())
    (folder / "trace.json").write_text(json.dumps(TRACE))
    (folder / "session.jsonl").write_text("".join(f"{line}\n" for line in _session()), encoding="utf-8")
    (folder / "text.txt").write_text(tiny_runs.LINES, encoding="utf-8")


def _session() -> list[str]:
    """The lines of a picture that waits, and of a window's text: paint and a sampled pixel; typing, a branch, undo."""
    picture, tree = Tree(Raster(2, 2, ".#", (0, 1, 2, 3)).blank()), Tree(Text.of(b"The cat"))
    picture.record(picture.document.paint([0, 3], 1), "painted", 1)
    picture.record(picture.document.paint([1], 0), "sampled", 2, Step(0, 1, -0.7, 0.5, 0.5, 1, 0.25, 7))
    session = Session(tree, beside=(Session(picture, caret=2),))
    lines = [*kept.snapshot(session).lines()]
    for at, data in ((7, b" sat"), (11, " – é".encode()), (3, b"\xff")):
        before = tree.node
        tree.grow(tree.document.replace(at, at, data), "typed", at + len(data))
        session.moves.push(before.serial, tree.node.serial, "Typing")
        lines += [kept.grown(tree.node), kept.moved(before, tree.node, "Typing"), kept.state(caret=at, seed=at)]
    return lines


def _run(folder: Path) -> None:
    """A training run that was stopped: its plan, its log and its checkpoint."""
    from arplay.training.run_folder import RunFolder

    folder.mkdir()
    run = RunFolder(folder)
    run.write_plan(tiny_runs.plan())
    for step in range(3):
        run.append(tiny_runs.report(step))
    new_run().save(run.state)
    for path in (folder / "training").iterdir():
        path.rename(folder / path.name)
    (folder / "training").rmdir()


def new_run() -> Any:
    """A run of the plan in the base, not begun."""
    import numpy as np

    from arplay.training.make import network_of, schedule_of
    from arplay.training.train import Run

    plan = tiny_runs.plan()
    return Run(network_of(plan), [np.arange(600) % plan.vocabulary], schedule_of(plan))
