"""What a user asks of a run; what was not said is None. Nothing heavy is imported."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path

from arplay.core.errors import Problem
from arplay.models import families
from arplay.models.family import Training
from arplay.training import limits, sizes
from arplay.training.run_folder import Plan, RunFolder

VOCABULARY = 4096
MINUTES = 10.0
SEED = 1
LEAST_VOCABULARY = 257
"""The separator and 256 bytes."""

_FILES = {"config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
_FILES |= {"README.md", "training"}


def option(name: str) -> str:
    """How a field of a :class:`RunRequest` is called on the command line."""
    return "--vocab" if name == "vocabulary" else f"--{name}"


@dataclass(frozen=True)
class RunRequest:
    """``texts``: files, or one recipe (.toml); with ``resume`` they may be left out."""

    texts: tuple[Path, ...]
    out: Path
    family: str | None = None
    params: int | None = None
    context: int | None = None
    vocabulary: int | None = None
    tokenizer: Path | None = None
    tokens: int | None = None
    minutes: float | None = None
    seed: int | None = None
    device: str | None = None
    order: int | None = None
    threads: int | None = None
    stacks: int | None = None
    resume: bool = False

    @property
    def training(self) -> Training:
        """That of the family which was said, or which the recipe names."""
        return families.trained(self.family or (limits.family_of(self.recipe) if self.recipe else None))

    @property
    def recipe(self) -> Path | None:
        return self.texts[0].absolute() if len(self.texts) == 1 and self.texts[0].suffix == ".toml" else None

    @property
    def arguments(self) -> list[str]:
        """Those of the command ``arplay train`` that ask the same.

        >>> RunRequest((Path("/a.txt"),), Path("/b"), vocabulary=300, seed=2, resume=True).arguments
        ['/a.txt', '--out', '/b', '--vocab', '300', '--seed', '2', '--resume']
        """
        said = [str(text.absolute()) for text in self.texts]
        for name in (field.name for field in fields(self) if field.name not in ("texts", "resume")):
            if (value := getattr(self, name)) is not None:
                said += [option(name), str(value.absolute() if isinstance(value, Path) else value)]
        return [*said, *(["--resume"] if self.resume else [])]

    def check(self, folder: RunFolder) -> None:
        """Raise Problem where this cannot be done in that folder: nothing to resume, or something else in it."""
        path = folder.path
        if self.vocabulary is not None and self.vocabulary < LEAST_VOCABULARY and self.training.unit == "byte":
            cause = f"a vocabulary of {self.vocabulary} does not hold every byte"
            raise Problem(cause, f"choose at least {LEAST_VOCABULARY}")
        if self.order is not None:
            from arplay.models.families.ngram.model import MAX_ORDER

            if self.order > MAX_ORDER:
                raise Problem(f"n-grams of order {self.order} are not counted", f"choose --order 1 to {MAX_ORDER}")
        if self.resume:
            self.check_plan(folder.plan())
            if folder.done():
                raise Problem(f"the run in {path} is done", "start a new one in another folder")
            return
        if folder.has_plan():
            raise Problem(f"{path} holds a training run", "continue it with --resume, or choose another folder")
        try:
            found = {entry.name for entry in path.iterdir()} if path.exists() else set()
        except OSError as error:
            raise Problem(f"{path} cannot be used ({error.strerror})", "choose another folder for --out") from error
        if others := found - _FILES - {f"{name}.partial" for name in _FILES}:
            cause = f"{path} holds other files already ({min(others)})"
            raise Problem(cause, "choose a new or empty folder for --out")
        if found and "training" not in found:
            raise Problem(f"{path} holds a model already", "choose a new or empty folder for --out")

    def check_plan(self, plan: Plan) -> None:
        """Raise Problem where something was said that is not what the run began with.

        ``minutes`` became ``plan.tokens`` when it began, and is not asked again.
        """
        pairs: dict[str, tuple[object, object]] = {
            "--family": (self.family, plan.family),
            "--context": (self.context, plan.context),
            "--vocab": (self.vocabulary, plan.vocabulary),
            "--tokenizer": (self.tokenizer and str(self.tokenizer.absolute()), plan.tokenizer),
            "--tokens": (self.tokens, plan.tokens),
            "--seed": (self.seed, plan.seed),
            "--device": (None if self.device == "auto" else self.device, plan.device.partition(":")[0]),
            "--threads": (self.threads, plan.threads),
            "--order": (self.order, plan.order),
            "--stacks": (self.stacks, plan.stacks or 2),
            "its text": (
                ", ".join(str(text.absolute()) for text in self.texts) or None,
                plan.recipe or ", ".join(plan.texts),
            ),
        }
        if self.params is not None and not plan.training.counted:
            shape = sizes.shape_of(plan.family)
            stacks = {"stacks": plan.stacks} if plan.stacks else {}
            nearest = shape.nearest(self.params, plan.vocabulary, **stacks)
            both = replace(nearest, rows=plan.rows, columns=plan.columns, rate=plan.rate), plan.sizes
            if both[0] != both[1]:
                asked, made = (f"{shape.parameters(each, plan.vocabulary):,}" for each in both)
                pairs["--params"] = asked, made
        for name, (said, planned) in pairs.items():
            if said is not None and said != planned:
                cause = f"the run has {name} {planned or 'not given'}, not {said}"
                raise Problem(cause, "leave that out to resume, or start a new run")
