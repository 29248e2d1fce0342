"""Run folders as `arplay train` leaves them, of networks that fit in a second, written without training one.

Nothing heavy is imported before a network is made: the stand-in for the command starts often.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from arplay.training.run_folder import Plan, Report, RunFolder

LINES = "The cat sat on the mat. The dog sat on the log. Où est le chat ? In 1961.\n" * 8
CONTEXT = 32
VOCABULARY = 280


def plan(**changes: Any) -> Plan:
    given: dict[str, Any] = {
        "family": "transformer", "texts": ("/texts/a.txt",), "recipe": "", "sha256": ("0" * 64,), "tokenizer": "",
        "vocabulary": VOCABULARY, "width": 16, "layers": 2, "heads": 2, "hidden": 32, "context": CONTEXT,
        "tokens": 10 * 4 * CONTEXT, "batch": 4, "muon_rate": 0.02, "adamw_rate": 0.01, "warmup": 0.1, "cooldown": 0.5,
        "weight_decay": 0.1, "clip": 1.0, "seed": 5, "device": "cpu", "threads": 1, "processes": 1,
        "precision": "float32", "compile": False, "order": 0,
    }  # fmt: skip
    return Plan(**given | changes)


def report(step: int, steps: int = 10) -> Report:
    return Report(
        step, steps, 128 * step, 0.5 * step, 5.6 - 0.1 * step, None, 2.0, None, 256.0, 0.5 * (steps - step), 1.0
    )


def add_snapshot(folder: Path, step: int, network: Any) -> None:
    """The model as of ``step``, the snapshot and its report."""
    from arplay.models.hf.networks import save

    run = RunFolder(folder)
    run.snapshot(step).parent.mkdir(parents=True, exist_ok=True)
    save(network, folder)
    (folder / "model.safetensors").rename(run.snapshot(step))
    save(network, folder)
    run.append(report(step))


def network(seed: int, family: str = "transformer", scale: float = 1.0) -> Any:
    """A fresh one; every token of the context matters where ``scale`` is large."""
    import torch

    from arplay.models.families.lstm.network import lstm
    from arplay.models.hf.networks import llama

    torch.manual_seed(seed)
    made: Any
    if family == "rnn":
        made = lstm(VOCABULARY, 16, 1, CONTEXT)
    else:
        made = llama(VOCABULARY, width=16, layers=2, heads=2, hidden=32, context=CONTEXT)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.mul_(scale).copy_(parameter.bfloat16().float())  # exactly what a snapshot holds
    return made.eval()


def make(folder: Path, steps: tuple[int, ...] = (0, 4, 10), family: str = "transformer") -> dict[int, Any]:
    """A run in ``folder`` with a snapshot of another random network at every step; the networks by step."""
    from arplay.training.bpe import save_tokenizer, train_bpe

    folder.mkdir(parents=True, exist_ok=True)
    save_tokenizer(train_bpe([LINES], VOCABULARY), folder, CONTEXT)
    RunFolder(folder).write_plan(plan(family=family))
    networks = {step: network(step, family, 5.0) for step in steps}
    for step, made in networks.items():
        add_snapshot(folder, step, made)
    return networks
