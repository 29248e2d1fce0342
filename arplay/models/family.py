"""What the program knows of a family of models beside its implementation: one value of :class:`Family` says it all.

Functions are named, as "module:function", and imported when they are called: listing models costs no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

Ways = tuple[tuple[str, str, str], ...]
"""Choices of how a model is opened: a key, a label, a sentence."""


def resolve(name: str) -> Any:
    """The object that "module:name" stands for.

    >>> resolve("math:gcd")(12, 18)
    6
    """
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)


@dataclass(frozen=True, slots=True)
class Found:
    """A file or folder as it was when it was added; ``problem`` says in a few words why nothing is learnt from it."""

    path: Path
    count: int
    problem: str = ""


@dataclass(frozen=True)
class Material:
    """What a family learns from, as a form asks for it. ``noun``: one file or folder of it.

    ``add`` is on the button and ``tip`` said of it; ``empty`` stands in an empty list. ``files`` are the kinds of files
    of the dialog, "" where it asks for a folder. ``look`` finds out about a path, ``words`` tells a count of bytes or
    files. ``few`` says that a count is less than ``least``, and ``small`` what comes of less than half a byte a
    parameter. ``typed``: the text in the editor can be learnt from as well.
    """

    noun: str
    add: str
    tip: str
    empty: str
    look: Callable[[Path], Found]
    words: Callable[[int], str]
    least: int
    few: str
    files: str = ""
    small: str = ""
    typed: bool = False


@dataclass(frozen=True)
class Training:
    """How a family is trained. ``key``: its name on the command line and in a plan.

    ``label`` is on its button and ``about`` the sentence below; ``kind`` with its article goes into sentences.
    ``shape`` names an :class:`arplay.training.sizes.Shape`; "" is a family that is counted in one step, without
    gradient. ``by`` names what makes a fresh network, of the vocabulary, the numbers that the shape has, by name, and
    the context; or it carries out a run that counts, as :func:`arplay.training.ngram_run.run` does. ``data`` names what
    reads what it learns, as :func:`arplay.training.data.gather` does, and ``unit`` what its bits are told per.
    ``context``, ``batch`` and ``params``: the usual ones. ``rates``: what of the schedule is this family's own.
    ``order``: the usual n of n-grams, 0 where there is none. ``learns`` names the :class:`Material`. ``sizes``:
    parameters that a form offers, with a sentence; ``contexts``, ``vocabularies`` and ``orders`` beside the usual ones,
    of which there may be none to choose.
    """

    key: str
    label: str
    about: str
    kind: str
    by: str
    shape: str = ""
    data: str = "arplay.training.data:gather"
    unit: str = "byte"
    context: int = 0
    batch: int = 1
    params: int = 6_000_000
    rates: Mapping[str, Any] = field(default_factory=dict)
    order: int = 0
    learns: str = "arplay.training.texts:TEXTS"
    sizes: tuple[tuple[int, str], ...] = (
        (1_000_000, "1 million parameters: learns spelling, frequent words, turns of phrase. The quickest."),
        (3_000_000, "3 million parameters: learns phrases and short sentences. For ten minutes or more."),
        (6_000_000, "6 million parameters: learns whole sentences, given half an hour and some megabytes of text."),
    )
    contexts: tuple[int, ...] = (64, 128, 256, 512, 1024)
    vocabularies: tuple[int, ...] = (512, 1024, 2048, 4096, 8192)
    orders: tuple[int, ...] = ()

    @property
    def counted(self) -> bool:
        return not self.shape


@dataclass(frozen=True)
class Family:
    """A family of models. ``what``: one sentence; ``icon``: of the list of models.

    It is recognised by the ``model_type`` in a folder's config.json, or by a file's ``suffix`` and ``marks``, the keys
    of its JSON object where other families have that suffix too; ``file`` is what people call such a file. Or its
    models have addresses of these ``schemes``, which ``open`` gets as path and as name; there is no file for ``card``.
    ``open`` names load(path, name, device, dtype, report) -> Model, which takes the key of one of ``ways`` as well
    where there are any. ``card`` names what completes a :class:`arplay.models.store.cards.Card` from its path.
    ``build`` names what gives the bare network of a checked folder, "" where the library's class does. ``baseline``
    names what `arplay bench` compares with, of (model, cells), "" where nothing is.

    ``looked_up``: no network, but float64 on the CPU, whatever device and number type are chosen. ``any_context``:
    prefixes of any length. ``coder`` names what opens its tokenizer alone, of a path; "" where the model is as cheap.
    ``tokens`` names what tells from the path of a model what its tokens stand for, a
    :class:`arplay.core.modalities.base.TokenSet`; "" where that is text.
    """

    name: str
    what: str
    open: str
    card: str = ""
    model_type: str = ""
    suffix: str = ""
    marks: tuple[str, ...] = ()
    file: str = ""
    schemes: tuple[str, ...] = ()
    build: str = ""
    baseline: str = ""
    looked_up: bool = False
    any_context: bool = False
    coder: str = ""
    tokens: str = ""
    ways: Ways = ()
    icon: str = "cube"
    training: Training | None = None
