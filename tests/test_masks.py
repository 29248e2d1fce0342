"""Break the mask: of two networks only the causal one has factors that multiply to a probability."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import arplay
from arplay import cli
from arplay.core.errors import Problem
from arplay.core.masks import Pair, why
from arplay.core.modalities.image import Raster
from arplay.core.modalities.sound import Amplitudes
from arplay.core.modalities.vocabulary import Vocabulary
from arplay.engine.job import Line
from arplay.engine.masks import BreakMask, Broke, break_mask
from arplay.engine.messages import Progress
from arplay.engine.state import State
from arplay.models.family import resolve
from arplay.training import mask_data, masks
from arplay.training.mask_data import Kind, document_of, kind_of
from arplay.training.masks import Reader, broken
from tests.tiny_models import one_thread

__all__ = ["one_thread"]
NAMES = [kind.name for kind in mask_data.KINDS]
N, V = 4, 3
EVERY = torch.tensor(list(itertools.product(range(V), repeat=N)))


def tiny(name: str) -> Kind:
    """Chains of four tokens, each of which is likely the one before, or one more."""
    kind = kind_of(name)
    small: list[Any] = [Vocabulary("three", (b"A", b"B", b"C")), Raster(2, 2, ".+#", (0, 1, 2, 3)), Amplitudes(8000, V)]
    tokens = next(each for each in small if isinstance(each, type(kind.tokens)))

    def chains(rng: np.random.Generator) -> Any:
        return np.cumsum(rng.choice(3, p=(0.5, 0.4, 0.1), size=(96, N)), axis=1) % V

    return replace(kind, tokens=tokens, chains=chains, data="small chains")


_made: dict[str, tuple[Pair, list[Reader]]] = {}


def made(name: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Pair, list[Reader]]:
    """Both networks, trained for a moment once, and what is said of them."""
    if name not in _made:
        readers: list[Reader] = []
        monkeypatch.setattr(masks, "Reader", lambda *given: readers.append(Reader(*given)) or readers[-1])
        told: list[float] = []
        pair = broken(tiny(name), 3, lambda pair, done: told.append(done), 30, 16)
        assert told == sorted(told) and len(told) == len(pair.curves[0]) == 3
        _made[name] = pair, readers
    return _made[name]


@pytest.mark.parametrize("name", NAMES)
def test_only_the_causal_one_multiplies_to_a_probability(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over all 81 chains. What either gives step by step is one, whatever it is connected to."""
    _, readers = made(name, monkeypatch)
    with torch.no_grad():
        in_place = [float(reader.logprobs(EVERY).sum(1).exp().sum()) for reader in readers]
        stepped = [float(reader.stepped(EVERY).sum(1).exp().sum()) for reader in readers]
    assert stepped == pytest.approx([1, 1], abs=1e-5)
    assert in_place[0] == pytest.approx(1, abs=1e-5)
    assert in_place[1] > 1.1, "negative control: the future is visible"


@pytest.mark.parametrize("name", NAMES)
def test_the_loss_is_better_and_the_likelihood_worse(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pair, readers = made(name, monkeypatch)
    assert pair.figures is not None
    causal, sees = pair.figures
    held_out = torch.from_numpy(tiny(name).chains(np.random.default_rng(3))[: masks.HELD_OUT])
    assert sees.in_place < causal.in_place and sees.step_by_step > sees.in_place
    assert causal.step_by_step == pytest.approx(causal.in_place, abs=1e-5)
    assert causal.endings == pytest.approx(1, abs=1e-5) and sees.endings > 1.05
    assert sees.in_place == pytest.approx(pair.curves[1][-1].held_out)
    with torch.no_grad():  # by hand, a chain and a token at a time
        nats = [
            -reader.next(chain[None, :i])[0, int(chain[i])]
            for reader in readers[1:]
            for chain in held_out[:8]
            for i in range(N)
        ]
        some = readers[1].stepped(held_out[:8])
    assert float(some.mean()) == pytest.approx(-float(torch.stack(nats).mean()), abs=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_the_future_is_seen_by_measurement(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pair, _ = made(name, monkeypatch)
    assert pair.figures is not None
    causal, sees = pair.figures
    assert not np.triu(causal.moved).any() and np.tril(causal.moved, -1).any()
    ahead = np.triu(sees.moved)[:-1]  # the last token is no input
    assert ahead.any() and not sees.moved[:, -1].any()
    assert (pair.parameters[0] == pair.parameters[1]) is (name != "pixelcnn"), "whose mask has a place more"


@pytest.mark.parametrize("name", NAMES)
def test_one_seed_makes_one_pair(name: str) -> None:
    pairs = [broken(tiny(name), 5, lambda pair, done: None, 2) for _ in range(2)]
    assert pairs[0].record() == pairs[1].record()
    if name != "pixelcnn":
        with torch.random.fork_rng():
            weights = []
            for sees in (False, True):
                torch.manual_seed(5)
                weights.append(
                    [each.tolist() for each in resolve(tiny(name).makes)(V, tiny(name).tokens, N, sees).parameters()]
                )
        assert weights[0] == weights[1], "from the same weights"


def without(record: dict[str, Any]) -> dict[str, Any]:
    """While it is trained."""
    nets = [{key: value for key, value in net.items() if key != "figures"} for net in record["networks"]]
    return record | {"networks": nets}


def test_a_record_is_the_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    pair, _ = made("lstm", monkeypatch)
    record = json.loads(json.dumps(pair.record()))
    again = Pair.of(record)
    assert again.record() == pair.record() == record and again.figures is not None
    assert not again.figures[0].samples.flags.writeable
    assert f"is {again.figures[1].in_place:.3f} bits" in why(again) and not why(Pair.of(without(record)))


@pytest.mark.parametrize("name", ["transformer", "wavenet"])
def test_the_data_is_that_of_the_seed(name: str) -> None:
    kind = kind_of(name)
    chains, again, other = (kind.chains(np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert np.array_equal(chains, again) and not np.array_equal(chains, other)
    assert chains.shape[1] == mask_data.LENGTH and len(chains) > 10 * masks.HELD_OUT
    assert chains.min() >= 0 and chains.max() < len(kind.tokens)


@pytest.mark.parametrize("name", NAMES)
def test_a_document_says_its_chain(name: str) -> None:
    tokens: Any = kind_of(name).tokens
    ids = np.random.default_rng(2).integers(0, len(tokens), mask_data.LENGTH)
    document: Any = document_of(tokens, ids)
    if isinstance(tokens, Vocabulary):
        assert document.data == b"".join(tokens.written[id] for id in ids)
    else:
        assert document.encoded(tokens).ids.tolist() == ids.tolist()


# ---- the child process, and the command


def played(monkeypatch: pytest.MonkeyPatch, lines: list[str], status: int = 0) -> None:
    """A child that says these lines and ends."""

    class Said:
        def __init__(self, command: list[str], *_: Any) -> None:
            assert command[-2:] == ["lstm", "7"]
            self.left = [lines, []]

        def lines(self) -> list[str]:
            return self.left.pop(0)

        def poll(self) -> int | None:
            return None if len(self.left) > 1 else status

        def output(self) -> str:
            return "\n".join(lines)

        def end(self) -> None: ...

    monkeypatch.setattr("arplay.engine.masks.Child", Said)


def asked(monkeypatch: pytest.MonkeyPatch, lines: list[str], status: int = 0) -> list[Any]:
    """What the job says of them."""
    played(monkeypatch, lines, status)
    steps = break_mask(State(lambda *_: None), BreakMask(4, "lstm", 7), Line(lambda *_: None, lambda: False, None))  # type: ignore[arg-type]
    found: list[Any] = []
    while True:
        try:
            found.append(next(steps))
        except StopIteration as ended:
            return [*found, ended.value]


def test_the_job_tells_the_curves_and_then_the_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    pair, _ = made("lstm", monkeypatch)
    whole = pair.record()
    part = without(whole)
    heard = asked(monkeypatch, [json.dumps({"done": 0.5, "pair": part}), json.dumps({"done": 1.0, "pair": whole})])
    grown = [each for each in heard if isinstance(each, Broke)]
    assert [each.is_last for each in grown] == [False, True] and grown[0].pair.curves == pair.curves
    assert [each.fraction for each in heard if isinstance(each, Progress)] == [0.0, 0.5]
    assert len(grown[1].samples[0]) == 8 and grown[1].triangles[0].agreement.holds
    assert not grown[1].triangles[1].agreement.holds
    said: list[float | None] = []
    played(monkeypatch, [json.dumps({"done": 0.5, "pair": part}), json.dumps({"done": 1.0, "pair": whole})])
    found = arplay.break_mask("lstm", seed=7, progress=lambda fraction, what: said.append(fraction))
    assert found.record() == whole and said == [0.0, 0.5]
    with pytest.raises(Problem, match="out of luck; try again"):
        asked(monkeypatch, [json.dumps({"problem": {"cause": "out of luck", "remedy": "try again"}})], 1)
    with pytest.raises(Problem, match="training lstm failed: ImportError"):
        asked(monkeypatch, ["ImportError: no torch"], 1)


def test_the_command_tells_both(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    pair, _ = made("wavenet", monkeypatch)
    monkeypatch.setattr(masks, "broken", lambda kind, seed, told: pair)
    assert cli.main(["causality", "--break-mask", "wavenet", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [net["name"] for net in told["networks"]] == ["causal", "sees ahead"]
    assert told["networks"][1]["figures"]["endings"] > 1.05 and told["arplay"]
    assert cli.main(["causality", "--break-mask", "wavenet"]) == 0
    out = capsys.readouterr().out
    assert pair.broken in out and "Causality is in the" in out and "!" in out and "step by step" in out
    assert cli.main(["causality", "--break-mask", "gpt"]) == 2
    assert cli.main(["causality", "--break-mask", "lstm", "--model", "abc"]) == 2
    assert "it takes no --model" in capsys.readouterr().err
