"""The table of families: a new one is a file of values, its implementation, and a line here."""

from __future__ import annotations

from pathlib import Path

from arplay.models.families.gguf import GGUF
from arplay.models.families.joint import JOINT
from arplay.models.families.lstm import LSTM
from arplay.models.families.ngram import NGRAM
from arplay.models.families.pixelcnn import PIXELCNN
from arplay.models.families.remote import REMOTE
from arplay.models.families.table import TABLE
from arplay.models.families.transformers import TRANSFORMERS
from arplay.models.families.wavenet import WAVENET
from arplay.models.family import Family, Training
from arplay.textfile import read_json

FAMILIES: tuple[Family, ...] = (TRANSFORMERS, LSTM, NGRAM, PIXELCNN, WAVENET, GGUF, TABLE, JOINT, REMOTE)
"""The first opens every folder that no other does, and is what is trained where nothing else is asked for."""

MOST_PARSED = 4 * 1024 * 1024
_BEGINNING = 64 * 1024


def named(name: str) -> Family:
    """The family of that name; the first one for any other name."""
    return next((family for family in FAMILIES if family.name == name), FAMILIES[0])


def of_type(model_type: object) -> Family:
    """The family of a folder whose config.json says this."""
    return next((family for family in FAMILIES if family.model_type == model_type != ""), FAMILIES[0])


def of_address(spec: str) -> Family | None:
    """The family of a model that is named by an address; None where ``spec`` is none.

    >>> of_address("http://127.0.0.1:8000/v1#name").name, of_address("org/name")
    ('remote', None)
    """
    scheme, address, _ = spec.partition("://")
    return next((family for family in FAMILIES if address and scheme.lower() in family.schemes), None)


def of_file(path: Path, sure: bool = False) -> Family | None:
    """The family of a file: that of its suffix, and of several the one most of whose marks it bears.

    None where no family has that suffix or, if that is to be ``sure``, where it lacks one of the marks.
    """
    same = [family for family in FAMILIES if family.suffix and family.suffix == path.suffix]
    marks = {mark for family in same for mark in family.marks}
    there = _marks(path, marks) if marks else set()
    found = max(same, key=lambda family: len(there.intersection(family.marks)), default=None)
    return None if found is None or (sure and not there.issuperset(found.marks)) else found


def _marks(path: Path, wanted: set[str]) -> set[str]:
    """Those that are keys of the JSON object in a file; of one that is damaged or large, those at its beginning."""
    try:
        content = read_json(path, MOST_PARSED)
        return wanted.intersection(content) if isinstance(content, dict) else set()
    except OSError:
        return set()  # opening it tells what is wrong
    except ValueError:
        with path.open("rb") as file:
            beginning = file.read(_BEGINNING)
        return {mark for mark in wanted if f'"{mark}"'.encode() in beginning}


def file_families() -> list[Family]:
    """One for every kind of file that opens, by its suffix."""
    return list({family.suffix: family for family in reversed(FAMILIES) if family.suffix}.values())[::-1]


def file_kinds() -> str:
    """The kinds of files that open, in words.

    >>> file_kinds()
    'GGUF file (.gguf) or table (.json)'
    """
    return " or ".join(f"{family.file} ({family.suffix})" for family in file_families())


def trainings() -> dict[str, Training]:
    """How the families that can be trained are, by key; the usual one first."""
    return {family.training.key: family.training for family in FAMILIES if family.training is not None}


def trained(key: str | None) -> Training:
    """The training of that key, or the usual one. Raises KeyError."""
    known = trainings()
    return known[next(iter(known)) if key is None else key]
