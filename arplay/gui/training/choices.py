"""What can be chosen for a run, in words, and the folder that it goes to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from arplay.core.signs import file_name
from arplay.gui.training.segments import Option
from arplay.gui.training.texts import Text

SIZES = (
    Option("1000000", "1 M", "1 million parameters: learns spelling, frequent words, turns of phrase. The quickest."),
    Option("3000000", "3 M", "3 million parameters: learns phrases and short sentences. For ten minutes or more."),
    Option(
        "6000000",
        "6 M",
        "6 million parameters: learns whole sentences, given half an hour and some megabytes of text.",
    ),
)
TIMES = (
    Option("2", "2 min", "Enough to see the loss fall; it will write words, hardly sentences."),
    Option("10", "10 min", "A real result with a small model; you can go on playing meanwhile."),
    Option("30", "30 min", "For the larger models. Pause it whenever you need the processor for something else."),
    Option("60", "1 hour", "For the largest model and several megabytes of text."),
    Option("tokens", "Tokens", "Reads exactly so many tokens: the same count and seed give the same model."),
)
CONTEXTS = (64, 128, 256, 512, 1024)
VOCABULARIES = (512, 1024, 2048, 4096, 8192)
LEAST_BYTES = 1_000
LEAST_TOKENS = 10_000
"""More than a step of the longest context."""
MOST_TOKENS = 1_000_000_000
MOST_SEED = 2**31 - 1


def folder_for(texts: Sequence[Text], inside: Path) -> Path:
    """A folder that is not there yet, named after the first text.

    >>> folder_for([Text(Path("My Poems.txt"), 9)], Path("/nowhere")).as_posix()
    '/nowhere/my-poems'
    """
    stem = texts[0].path.stem if texts else "model"
    name = file_name(stem.lower(), "model")
    free = inside / name
    count = 2
    while free.exists():
        free, count = inside / f"{name}-{count}", count + 1
    return free


def wrong_with_texts(texts: Sequence[Text]) -> str:
    """Why these cannot be trained on, as a sentence; empty where they can."""
    if not texts:
        return "Add a text to train on."
    for text in texts:
        if text.problem:
            return f"{text.path.name} {text.problem}. Take it off the list."
    total = sum(text.bytes for text in texts)
    return f"{total:,} bytes are too little text: add more." if total < LEAST_BYTES else ""


def overfitting(total: int, params: int) -> str:
    """A warning where ``total`` bytes of text are few for ``params`` parameters; empty where they are not.

    >>> overfitting(3_000, 1_000_000)
    'So little text is soon learnt by heart: held-out loss will rise again.'
    """
    return "So little text is soon learnt by heart: held-out loss will rise again." if 2 * total < params else ""


def wrong_with_folder(path: Path) -> str:
    """Why nothing can be written there, as a sentence; empty where it can."""
    if not path.is_absolute():
        return "Give the folder a name."
    try:
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            return f"There is something in {path.name} already. Choose another folder."
        there = next(parent for parent in (path, *path.parents) if parent.exists())
    except OSError as error:
        return f"{path.name} cannot be used ({error.strerror or error}). Choose another folder."
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return f"Nothing can be written in {there}. Choose another folder."
    return ""
