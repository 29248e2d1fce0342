"""Every key that a recipe, a plan or a report of a training run may have, with the least and greatest it may say.

A recipe and a run's folder can come from anywhere. What is within these bounds may still be too large for a computer:
:func:`arplay.training.hardware.check_memory` tells that.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from arplay.core.errors import Problem
from arplay.models import families
from arplay.schema import Check, Wrong, flag, many, matching, maybe, named, one_of, real, table, text, whole
from arplay.textfile import read_toml

MAX_BYTES = 64 * 1024
"""Of a recipe, and of a file of prompts."""

FINITE = real(-sys.float_info.max, sys.float_info.max)
COUNT = whole(0, 1 << 53)
RATE = real(0, 100)

NETWORK: dict[str, Check] = {
    "width": whole(1, 1 << 14), "layers": whole(1, 1 << 12), "heads": whole(1, 1 << 14), "hidden": whole(1, 1 << 18),
}  # fmt: skip

SCHEDULE: dict[str, Check] = {
    "tokens": whole(1, 1 << 53), "batch": whole(1, 1 << 20), "context": whole(1, 1 << 24), "muon_rate": RATE,
    "adamw_rate": RATE, "warmup": real(0, 1), "cooldown": real(0, 1), "weight_decay": RATE, "clip": real(0, 1e9),
    "seed": whole(0, (1 << 64) - 1), "compile": flag,
}  # fmt: skip

VOCABULARY = whole(257, 1 << 20)
"""The separator and 256 bytes, at least."""

_NAME = "letters, digits and . _ + -"

SOURCE = table(
    {
        "name": text(100),
        "registry": one_of("pip", "npm", "apt", "model"),
        # a client that is given a path, an address or an option instead of a name does other things
        "package": matching(r"(@[a-z0-9][\w.-]*/)?[A-Za-z0-9][\w.+-]*", f"a package's name ({_NAME})"),
        "version": matching(r"[0-9A-Za-z][\w.:+~-]*", f"a version ({_NAME} : ~)"),
        "licence": text(),
        "repeat": whole(1, 1000),
        "sha256": matching(r"[0-9a-f]{64}", "the 64 digits of a sha256"),
        "role": one_of("training", "outside"),
    },
    {"role": "training"},
)

RECIPE = table(
    {
        "name": text(100),
        "vocabulary": VOCABULARY,
        "held_out_every": whole(2, 1 << 20),
        "network": table(NETWORK),
        "schedule": table(SCHEDULE),
        "source": many(SOURCE, 1, 1000),
    }
)

PICTURES = table(
    {
        "name": text(100),
        "family": one_of("pixelcnn"),
        "levels": whole(2, 256),
        "held_out_every": whole(2, 1 << 20),
        "network": table({name: NETWORK[name] for name in ("width", "layers")}),
        "schedule": table({name: check for name, check in SCHEDULE.items() if name != "context"}),
        "source": many(SOURCE, 1, 100),
    }
)
"""A recipe of pictures."""

RATE = whole(100, 384_000)

SOUNDS = table(
    {
        "name": text(100),
        "family": one_of("wavenet"),
        "held_out_every": whole(2, 1 << 20),
        "network": table({name: NETWORK[name] for name in ("width", "layers", "hidden")} | {"rate": RATE}),
        "schedule": table(SCHEDULE),
        "source": many(SOURCE, 1, 100),
    }
)
"""A recipe of sounds."""

PROMPTS = table(
    {
        "model": matching(r"[A-Za-z0-9][\w.-]*", "the name of a built-in model"),
        "seed": whole(1, 1 << 12), "temperature": real(1e-3, 10), "batches": whole(1, 1 << 12),
        "batch": whole(1, 1 << 12), "pieces": whole(1, 1 << 12), "ends": many(text(100), most=100),
        "template": text(10_000), "words": named(many(text(1000), 1, 10_000)),
    }
)  # fmt: skip


def _family(value: Any, where: str) -> Any:
    return one_of(*families.trainings())(value, where)  # as the table of families is when it is asked


PLAN = table(
    {
        "family": _family, "texts": many(text()), "recipe": text(),
        "sha256": many(text(64)), "tokenizer": text(), "vocabulary": whole(1, 1 << 20),
        "width": whole(0, 1 << 14), "layers": whole(0, 1 << 12), "heads": whole(0, 1 << 14),
        "hidden": whole(0, 1 << 18), "rows": whole(0, 1 << 12), "columns": whole(0, 1 << 12),
        "rate": whole(0, 384_000), "stacks": whole(0, 2),  # 0: it has none
        **SCHEDULE, "device": text(40), "threads": whole(1, 1 << 10), "processes": whole(1, 1 << 10),
        "precision": one_of("float32", "bfloat16"), "order": whole(0, 1 << 10),
    },
    {"rows": 0, "columns": 0, "rate": 0, "stacks": 0},
)  # fmt: skip

REPORT = table(
    {
        "step": COUNT, "steps": COUNT, "tokens": COUNT, "seconds": FINITE, "loss": FINITE, "held_out": maybe(FINITE),
        "bits_per_byte": FINITE, "held_out_bits_per_byte": maybe(FINITE), "tokens_per_second": FINITE,
        "seconds_left": FINITE, "rate": FINITE,
    }
)  # fmt: skip

STATE = table({"step": COUNT, "seconds": real(0, 1e12)}, more=True)
"""What a checkpoint says of its run."""

PROBLEM = table({"cause": text(10_000), "remedy": text(10_000)})


def family_of(path: Path) -> str | None:
    """The family that a recipe names, None where it does not; reading all of it tells what is wrong with it."""
    try:
        said = read_toml(path, MAX_BYTES)
    except (OSError, ValueError):
        return None
    found = said.get("family") if isinstance(said, dict) else None
    return found if isinstance(found, str) and found in families.trainings() else None


def read(path: Path, no: str, check: Check) -> Any:
    """What a TOML file says, checked. Raises Problem that begins with the file and ``no``, such as "is no recipe"."""
    try:
        return check(read_toml(path, MAX_BYTES), "")
    except OSError as error:
        raise Problem(f"cannot read {path}: {error.strerror}", "check the path and its rights") from error
    except Wrong as wrong:
        raise Problem(f"{path} {no}: {wrong.cause}", wrong.remedy) from wrong
    except ValueError as error:
        raise Problem(f"{path} {no}: {error}", "compare it with those in assets/recipes") from error
