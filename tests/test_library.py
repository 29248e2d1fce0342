"""The seam to the library: whatever a network calls what it keeps, it is found, or the reason is told."""

from __future__ import annotations

import ast
import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from arplay.models.hf import loading
from arplay.models.hf.library import Forward
from arplay.models.hf.proof import proved
from tests.tiny_models import SETTINGS, network, one_thread, save

__all__ = ["one_thread"]

REPOSITORY = Path(__file__).parent.parent
NAMES = ("past_key_values", "cache", "cache_params", "state", "mems", "what_it_may_be_called")


def quiet(fraction: float | None, what: str) -> None:
    """Progress that nobody looks at."""


class Renamed:
    """A network of the library behind a forward of its own; ``answer`` makes its output of logits and what is kept."""

    def __init__(self, forward: Callable[..., Any]) -> None:
        self.real = network("llama")
        self._inner = Forward(self.real)
        self.config, self.dtype, self.device = self.real.config, self.real.dtype, self.real.device
        self.forward = forward

    def __call__(self, **given: Any) -> Any:
        return self.forward(self, **given)

    def get_output_embeddings(self) -> Any:
        return self.real.get_output_embeddings()

    def read(self, ids: Any, kept: Any, keep: bool) -> tuple[Any, Any]:
        return self._inner(ids, kept, keep=keep)


def with_argument(name: str, answer: Callable[[Any, Any], Any], rest: str = "") -> Any:
    """A network whose forward has the argument ``name`` and other optional ones; ``rest``: as ``**more``."""
    made: dict[str, Any] = {}
    code = f"""
def forward(self, input_ids=None, attention_mask=None, labels=None, use_cache=None, {name}=None, odd=None{rest}):
    return answer(*self.read(input_ids, {name}, bool(use_cache)))
"""
    exec(code, {"answer": answer}, made)
    return bound(made["forward"])


def bound(forward: Callable[..., Any]) -> Any:
    made = Renamed(forward)
    made.forward = lambda **given: forward(made, **given)
    made.forward.__wrapped__ = forward.__get__(made)  # type: ignore[attr-defined] # what its signature is read from
    type(made).__call__ = lambda self, **given: self.forward(**given)  # type: ignore[method-assign]
    return made


def tuples(logits: Any, kept: Any) -> Any:
    return (logits,) if kept is None else (logits, kept)


def hidden_states_first(logits: Any, kept: Any) -> Any:
    return tuple(part for part in ((logits[:, :, :4],), logits, kept) if part is not None)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["object", "dict", "tuple", "mixed tuple", "other name"])
def test_a_cache_is_found_under_any_name_in_any_output(name: str, kind: str) -> None:
    import torch

    answers: dict[str, Callable[[Any, Any], Any]] = {
        "object": lambda logits, kept: SimpleNamespace(logits=logits, **{name: kept}),
        "dict": lambda logits, kept: {"logits": logits, name: kept},
        "tuple": tuples,
        "mixed tuple": hidden_states_first,
        "other name": lambda logits, kept: {"logits": logits, f"new_{name}": kept},
    }
    made = with_argument(name, answers[kind])
    assert proved(torch, made, "m").cache == "cropped"


def test_a_forward_of_keywords_only_is_asked_by_the_names_of_its_output() -> None:
    import torch

    def forward(self: Any, input_ids: Any = None, **more: Any) -> Any:
        logits, kept = self.read(input_ids, more.get("memory"), more["use_cache"])
        return {"logits": logits, "hidden": logits[:, :, :2], "memory": kept}

    assert proved(torch, bound(forward), "m").cache == "cropped"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (lambda logits, kept: {"logits": logits}, "returns nothing but logits"),
        (lambda logits, kept: logits, "returns nothing but logits"),
        (lambda logits, kept: {"logits": logits, "seen": logits[:, :, :2]}, r"takes back .* \(seen\)"),
    ],
)
def test_a_network_that_hides_its_cache_is_recomputed_and_told(answer: Callable[..., Any], why: str) -> None:
    import torch

    found = proved(torch, with_argument("cache", answer), "m")
    assert found.cache == "recomputed" and re.search(why, found.why)
    assert len(found.not_used) == 1 and found.why in found.not_used[0]


def test_an_argument_that_takes_something_else_is_not_believed() -> None:
    """Control: the names agree, but what is given back is not what was read."""
    import torch

    made = with_argument("cache", lambda logits, kept: {"logits": logits, "cache": kept})
    real = made.read
    made.read = lambda ids, kept, keep: real(ids, None, keep)
    found = proved(torch, made, "m")
    assert found.cache == "recomputed" and "differ from a fresh pass by" in found.why


def test_a_network_without_any_argument_for_a_cache_says_so() -> None:
    import torch

    def forward(self: Any, input_ids: Any = None) -> Any:
        return SimpleNamespace(logits=self.read(input_ids, None, False)[0])

    found = proved(torch, bound(forward), "m")
    assert found.cache == "recomputed" and found.not_used


# every family keeps its cache and its fast step, or this says why not

SLIDES = "keeps more than keys and values that grow"
NO_STEP = {
    **dict.fromkeys(("mistral", "gemma2", "gemma3_text"), SLIDES),
    **dict.fromkeys(("mamba", "mamba2", "rwkv", "jamba", "lfm2", "recurrent_gemma", "openai-gpt"), SLIDES),
    "bloom": "too many values to unpack",  # it wants its mask in two dimensions
}
NO_CACHE = {"recurrent_gemma", "openai-gpt"}


@pytest.mark.parametrize("family", SETTINGS)
def test_what_a_family_does_not_use_is_known(family: str, tmp_path: Path) -> None:
    model = loading.load(save(tmp_path, family), family, "cpu", "float32", quiet)
    info = model.info
    steps = [each for each in info.not_used if each.startswith("steps are not replayed")]
    caches = [each for each in info.not_used if each.startswith("the cache is recomputed")]
    assert len(info.not_used) == len(steps) + len(caches)
    assert bool(caches) == (model.can.rewinds == "recomputed") == (family in NO_CACHE), info.not_used
    assert bool(steps) != ("recording" in info.why or info.engine != "transformers")
    assert (NO_STEP[family] in steps[0]) if family in NO_STEP else not steps, info.not_used


def test_the_shipped_models_use_all_there_is() -> None:
    from arplay.models import catalogue

    found = {name: catalogue.load(name, "cpu", "auto", quiet) for name in ("english", "abc")}
    assert {name: (model.can.rewinds, model.info.not_used) for name, model in found.items()} == {
        "english": ("cropped", ()),
        "abc": ("none", ()),
    }


def test_a_family_that_loses_its_cache_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control of the test above: an output without the field, as in a release that renames it."""
    from arplay.models.hf import library

    real = library._parts
    monkeypatch.setattr(
        library, "_parts", lambda out: {name: part for name, part in real(out).items() if name in ("logits", "loss")}
    )
    model = loading.load(save(tmp_path, "gpt2"), "gpt2", "cpu", "float32", quiet)
    info = model.info
    assert model.can.rewinds == "recomputed" and "recording" not in info.why and len(info.not_used) == 2


@pytest.mark.parametrize("broken", ["gone", "raises", "other graph"])
def test_a_step_goes_on_without_the_recorder(broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    folder = save(tmp_path, "gpt2")
    if broken == "gone":
        monkeypatch.delattr(torch.jit, "trace")
    elif broken == "raises":
        monkeypatch.setattr(torch.jit, "trace", lambda *_, **__: (_ for _ in ()).throw(RuntimeError("removed in 3.0")))
    else:
        monkeypatch.setattr(torch.jit, "trace", lambda *_, **__: object())
    model = loading.load(folder, "m", "cpu", "float32", quiet)
    assert model.can.rewinds == "cropped" and "recording" not in model.info.why
    assert len(model.info.not_used) == 1 and model.info.not_used[0].startswith("steps are not replayed")
    session = model.session()
    for id in (3, 4, 5):
        session.read([id])
    assert abs(session.logits() - model.uncached([3, 4, 5])).max() < 1e-3


# odd ways to answer and to generate

ODD: dict[str, tuple[dict[str, Any], dict[str, Any] | None]] = {
    "tuples": ({"return_dict": False}, None),
    "torchscript": ({"torchscript": True}, None),
    "attentions": ({"output_attentions": True, "output_hidden_states": True}, None),
    "all": ({"return_dict": False, "output_attentions": True, "torchscript": True, "use_cache": False}, None),
    "static": ({}, {"cache_implementation": "static"}),
    "beams": ({}, {"num_beams": 4, "use_cache": False, "min_length": 500}),
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_odd_settings_of_a_folder_change_no_number(family: str, odd: str, tmp_path: Path) -> None:
    import torch

    from arplay.models.hf.baseline import Transformers

    folder = save(tmp_path, family)
    plain = loading.load(folder, family, "cpu", "float32", quiet)
    config, generation = ODD[odd]
    content = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps(content | config), "utf-8")
    if generation is not None:
        (folder / "generation_config.json").write_text(json.dumps(generation), "utf-8")
    model = loading.load(folder, family, "cpu", "float32", quiet)
    assert (model.can.rewinds, model.info.not_used) == ("cropped", ())
    assert abs(model.uncached([5, 6, 7]) - plain.uncached([5, 6, 7])).max() == 0
    bare = Transformers(str(folder), "float32", "cpu")
    with torch.inference_mode():
        bare.read([5, 6, 7])
        bare.generate([5, 6, 7, 8], 2)
        score = bare.score([[5, 6], [7, 8]])
    assert score == pytest.approx(model.teacher_forced([5, 6, 7, 8])[1:].sum(), abs=1e-3)


# imports


def direct_imports(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]


def undeclared(names: set[str]) -> set[str]:
    """Packages among ``names`` whose distribution pyproject.toml does not name."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    lines = [
        *project["dependencies"],
        *(line for name in ("gguf", "pandas", "parquet", "serve") for line in project["optional-dependencies"][name]),
    ]
    declared = {re.split(r"[<>=!~\[; ]", line)[0].lower().replace("_", "-") for line in lines}
    of_package = packages_distributions()
    foreign = (
        names - set(sys.stdlib_module_names) - {"arplay", "__future__", "_typeshed"}
    )  # the last is the type checker's
    known = {name: {each.lower().replace("_", "-") for each in of_package.get(name, [name])} for name in foreign}
    known["llama_cpp"] = {"llama-cpp-python"}  # is not everywhere
    return {name for name in foreign if not known[name] & declared}


def test_every_direct_import_is_declared() -> None:
    found = {name for file in (REPOSITORY / "arplay").rglob("*.py") for name in direct_imports(file.read_text("utf-8"))}
    assert {"torch", "transformers", "numpy"} <= found
    assert undeclared(found) == set()
    assert undeclared({"tqdm", "httpx2", "torch"}) == {"tqdm", "httpx2"}  # control
    assert set(direct_imports("def f():\n    import a.b\n    from c.d import e\n    from . import g")) == {"a", "c"}
