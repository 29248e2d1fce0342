"""Text that a larger model writes for a recipe: one rollout for each prompt, kept in the user's cache.

A file of prompts (assets/recipes/stories.toml) says which model writes, from which template and words, how many
batches, and the seed. Every batch is a file of its own, so that what was written once is not written again.
"""

from __future__ import annotations

import hashlib
import json
import random
import string
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from tokenizers import Tokenizer

from arplay.core.errors import Problem
from arplay.models import catalogue
from arplay.models.alphabets import opened
from arplay.training import limits
from arplay.training.run_folder import write_whole


@dataclass(frozen=True)
class Prompts:
    """``batches`` of ``batch`` rollouts of at most ``pieces`` tokens; ``template`` takes a word from every list."""

    model: str
    seed: int
    temperature: float
    batches: int
    batch: int
    pieces: int
    ends: tuple[str, ...]
    template: str
    words: dict[str, tuple[str, ...]]

    @classmethod
    def read(cls, path: Path) -> Prompts:
        """Raises Problem where the file is missing, or says something else than :data:`limits.PROMPTS`."""
        prompts = cls(**limits.read(path, "holds no prompts", limits.PROMPTS))
        try:
            parts = list(string.Formatter().parse(prompts.template))
        except ValueError as error:
            raise Problem(f"{path} holds no prompts: its template has a brace alone ({error})", "pair them") from error
        for _, name, width, conversion in parts:
            if name is not None and (name not in prompts.words or width or conversion):
                cause = f"{path} holds no prompts: the template has {{{name}}}, which is no list of words"
                raise Problem(cause, f"known are {', '.join(prompts.words)}")
        return prompts

    def prompt(self, draw: random.Random) -> str:
        """One prompt, with words that ``draw`` chooses."""
        return self.template.format(**{name: draw.choice(words) for name, words in self.words.items()})

    def digest(self) -> str:
        """A name for exactly these prompts."""
        return hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()[:16]


def write(prompts: Prompts, cache: Path, say: Callable[[str], None]) -> Path:
    """The folder of finished batches, NNNN.json each: a list of texts. ``say`` is told of every batch that is written.

    Raises Problem where the model is not there.
    """
    folder = cache / f"written-{prompts.model}-{prompts.digest()}"
    paths = [folder / f"{number:04d}.json" for number in range(prompts.batches)]
    missing = [number for number, path in enumerate(paths) if not path.is_file()]
    if missing:
        folder.mkdir(parents=True, exist_ok=True)
        writer = _Writer(prompts)
        for number in missing:
            say(f"{prompts.model} writes text, batch {number + 1:,} of {prompts.batches:,}")
            write_whole(paths[number], json.dumps(writer.batch(number)).encode())
    return folder


class _Writer:
    """The model that writes, in bfloat16 on the CPU: twice as fast as float32, and these are only samples."""

    def __init__(self, prompts: Prompts) -> None:
        from arplay.models.snapshots import load_network

        if not catalogue.is_ready(prompts.model):
            cause = f"the model {prompts.model}, which writes part of the text, is not here"
            raise Problem(cause, f"get it with: arplay models get {prompts.model}")
        folder = catalogue.entry(prompts.model).path
        self._prompts = prompts
        self._tokenizer = opened(lambda: Tokenizer.from_file(str(folder / "tokenizer.json")), prompts.model)
        self._network = load_network(folder, "bfloat16")
        found = {end: self._tokenizer.token_to_id(end) for end in prompts.ends}
        if unknown := [end for end, id in found.items() if id is None]:
            raise Problem(f"{prompts.model} has no token {', '.join(unknown)}", "mend the ends in the file of prompts")
        self._ends = {id for id in found.values() if id is not None}

    def batch(self, number: int) -> list[str]:
        """The texts of one batch; its prompts have one length in tokens, so that no row is padded."""
        import torch

        from arplay.models.hf.chains import rollouts

        prompts = self._prompts
        draw = random.Random(f"{prompts.seed} {number}")
        alike: dict[int, list[list[int]]] = {}
        while True:
            ids = self._tokenizer.encode(prompts.prompt(draw), add_special_tokens=False).ids
            rows = alike.setdefault(len(ids), [])
            rows.append(ids)
            if len(rows) == prompts.batch:
                break
        seed = prompts.seed * 1000 + number
        drawn = rollouts(self._network, torch.tensor(rows), prompts.pieces, prompts.temperature, self._ends, seed)
        return [self._tokenizer.decode(ids, skip_special_tokens=True) for ids in drawn]
