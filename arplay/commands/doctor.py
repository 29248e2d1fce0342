"""``arplay doctor``: what is installed, what is there to compute with, and what is missing."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import sys
from typing import Any

from arplay import paths
from arplay.commands import models
from arplay.commands.console import deliver
from arplay.core.errors import Problem
from arplay.core.format import size
from arplay.core.signs import safe
from arplay.export.tables import Record
from arplay.export.writers import to_json
from arplay.gui import platform_check
from arplay.models import catalogue
from arplay.models import devices as places
from arplay.models.gguf import parent as gguf_remote
from arplay.models.gguf import ways as gguf_ways
from arplay.version import __version__

PACKAGES = (
    "torch", "transformers", "tokenizers", "safetensors", "accelerate", "huggingface_hub", "gguf", "llama-cpp-python",
    "llguidance", "numpy", "PySide6-Essentials",
)  # fmt: skip


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="strict JSON instead of text")


def run(args: argparse.Namespace) -> int:
    report = examine()
    deliver(to_json(report) if args.json else _describe(report), None)
    return 0


def examine() -> Record:
    """Everything that doctor tells, for JSON."""
    screen = platform_check.platform()
    lacking = platform_check.missing(screen or "offscreen")
    debian, fedora = platform_check.packages(lacking)
    return {
        "versions": {"arplay": __version__, "python": platform.python_version()} | {p: _version(p) for p in PACKAGES},
        "system": platform.platform(),
        "python": sys.executable,
        "llama.cpp": llama(),
        "devices": devices(),
        "qt": {"platform": screen, "missing": lacking, "debian": debian, "fedora": fedora},
        "folders": {
            "assets": str(paths.assets()),
            "models": str(paths.models()),
            "settings": str(paths.settings()),
            "recovered": str(paths.sessions()),
        },
        "models": [_used(models.record(card)) for card in catalogue.cards()],
    }


def _used(model: Record) -> Record:
    """A model that the program ships or fetches, if it is here, with what is used when it runs."""
    shipped = {entry.spec for entry in catalogue.entries() if entry.state == "ready"}
    return model | models.used(str(model["name"])) if model["name"] in shipped else model


def llama() -> Record | None:
    """Whether llama.cpp runs here, tried in a process of its own; None where it is not installed."""
    if not gguf_ways.is_native_there():
        return None
    try:
        return gguf_remote.about()
    except Problem as problem:
        return {"problem": str(problem)}


def devices() -> list[Record]:
    """What a model can run on, best first as ``--device auto`` chooses; total and free memory in bytes."""
    free, total = places.memory()
    cpu = {"name": "cpu", "description": f"{platform.machine()}, {os.cpu_count()} cores", "memory": total, "free": free}
    try:
        import torch
    except (ImportError, OSError) as error:
        return [cpu | {"problem": f"torch cannot be imported: {error}"}]
    here = places.machine(torch)
    return [
        {"name": name, "description": _gpu(torch, name), "memory": here.total[name], "free": here.free[name]}
        for name in here.free
        if name != "cpu"
    ] + [cpu | {"threads": torch.get_num_threads()}]


def _gpu(torch: Any, name: str) -> str:
    kind, _, number = name.partition(":")
    return "Apple GPU" if kind == "mps" else str(getattr(torch, kind).get_device_properties(int(number)).name)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _llama(found: Record | None) -> list[str]:
    name = f"  {'llama.cpp':<20}"
    if found is None:
        return [f"{name}not installed; to run GGUF files quantised as they are: {gguf_ways.INSTALL}"]
    return [name + (safe(found["problem"]) if "problem" in found else f"runs ({safe(found['version'])})")]


def _describe(report: Record) -> str:
    lines = ["versions"]
    lines += [f"  {name:<20}{version or 'NOT INSTALLED'}" for name, version in report["versions"].items()]
    lines += [
        f"  {'system':<20}{report['system']}",
        f"  {'python':<20}{report['python']}",
        *_llama(report["llama.cpp"]),
        "devices",
    ]
    for device in report["devices"]:
        memory = f", {size(device['free'])} of {size(device['memory'])} free"
        lines.append(f"  {device['name']:<20}{device['description']}{memory}")
        lines += [f"  {'':<20}{device['problem']}"] if "problem" in device else []
    qt = report["qt"]
    lines += ["window", f"  {'Qt platform':<20}{qt['platform'] or 'no screen can be reached'}"]
    if qt["missing"]:
        lines += [
            f"  {'missing':<20}{' '.join(qt['missing'])}",
            f"  {'Debian/Ubuntu':<20}apt install {' '.join(qt['debian'])}",
            f"  {'Fedora':<20}dnf install {' '.join(qt['fedora'])}",
        ]
    else:
        lines.append(f"  {'system libraries':<20}all there")
    lines += ["folders", *(f"  {name:<20}{safe(path)}" for name, path in report["folders"].items())]
    lines.append("models")
    for model in report["models"]:
        how = f", {model['engine']}, cache: {model['cache']}; {model['why']}" if "engine" in model else ""
        lines.append(f"  {safe(model['name']):<20}{model['state']}{safe(how).removesuffix('; ')}")
        lines += [f"  {'':<20}not used: {safe(sentence)}" for sentence in model.get("not_used", ())]
    return "\n".join(lines) + "\n"
