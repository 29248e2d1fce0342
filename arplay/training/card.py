"""The README.md beside the weights of a user's own model: what it was trained on, how, and how good it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from arplay.training.run_folder import Plan, write_whole

Figures = Mapping[str, tuple[str, float]]
"""By source: how many of its held-out documents were scored ("3 of 12"), and the bits per byte on those."""


def write_card(folder: Path, plan: Plan, parameters: int, data: Mapping[str, str], figures: Figures) -> None:
    """``data``: what was read of every source; ``figures``: what was scored of every source, once it was."""
    sizes = f"order {plan.order}, {parameters:,} counts" if plan.training.counted else f"{parameters:,} parameters"
    noun = {"byte": "text", "dimension": "picture", "sample": "sound"}[plan.training.unit]
    lines = [
        "---",
        "license: yours",
        "---",
        f"# {folder.name}",
        "",
        f"Trained with arplay: {plan.training.kind} over {plan.vocabulary:,} tokens, {sizes}.",
        f"The licence is yours to choose, as far as those of the {noun}s allow.",
        "",
        f"| {noun} | read |",
        "|---|---|",
        *(f"| {_cell(name)} | {facts} |" for name, facts in data.items()),
        "",
    ]
    if not plan.training.counted:
        predictions = plan.steps * plan.batch * plan.context
        epochs = f"{predictions:,} predictions in {plan.steps:,} steps of {plan.batch} rows of {plan.context} tokens"
        where = f"{plan.device}, {plan.threads} thread{'s' * (plan.threads != 1)}, {plan.precision}"
        lines += [f"{epochs}; seed {plan.seed}; {where}. All of it is in training/plan.json.", ""]
    if figures:
        lines += [f"| held-out {noun} | documents scored | bits per {plan.training.unit} |", "|---|---:|---:|"]
        lines += [f"| {_cell(name)} | {part} | {bits:.4f} |" for name, (part, bits) in figures.items()]
    write_whole(folder / "README.md", "\n".join(lines).rstrip() + "\n")


def _cell(name: str) -> str:
    return name.replace("|", "\\|").replace("\n", " ")
