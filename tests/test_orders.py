"""Every order of one joint has the same total, by brute force; the command; and a wrong conditional is caught."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

import arplay
from arplay.cli import main
from arplay.core import orders
from arplay.core.errors import Problem
from arplay.core.modalities.places import named_orders
from arplay.core.modalities.text import Text
from arplay.core.orders import Floats, conditional, factorised, joint_of, listable
from arplay.core.two_orders import TwoOrders, apart, pair
from arplay.engine import two_orders as engine
from arplay.engine.child import Child
from arplay.engine.job import Pause
from arplay.engine.messages import Progress
from arplay.training import two_orders
from arplay.training.two_orders import Reader, learned
from tests.test_jobs import state_of

XO, ABC = (Path(__file__).parent.parent / "assets" / "models" / name for name in ("xo.json", "abc.json"))


@pytest.fixture
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(two_orders, "STEPS", 60)


@st.composite
def chains(draw: st.DrawFn, most: int = 5) -> tuple[Floats, tuple[int, ...]]:
    """A joint of n tokens with V values, some of whose chains may be impossible, and a chain of it."""
    values, n = draw(st.integers(2, 3)), draw(st.integers(1, most))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    p = rng.gamma(0.3, size=(values,) * n) * (rng.random((values,) * n) < draw(st.sampled_from([0.5, 1.0])))
    p.flat[0] += 1e-3
    with np.errstate(divide="ignore"):
        return np.log(p / p.sum()), tuple(int(i) for i in rng.integers(values, size=n))


@given(chains())
def test_every_order_gives_the_joint_itself_and_every_conditional_sums_to_one(
    chain: tuple[Floats, tuple[int, ...]],
) -> None:
    joint, x = chain
    found = factorised(joint, x, named_orders([(0, i) for i in range(len(x))]))
    assert found.every and len({each.order for each in found.products}) == math.factorial(len(x))
    if math.isfinite(joint[x]):
        assert [each.total for each in found.products] == pytest.approx([joint[x]] * len(found.products), abs=1e-12)
        assert found.largest_difference < 1e-12
    else:
        assert {each.total for each in found.products} == {-math.inf} and found.largest_difference == 0
    for each in found.products:
        assert [len(factor.known) for factor in each.factors] == list(range(len(x)))
        for factor in each.factors:
            defined = not math.isnan(factor.logprob)
            assert defined == bool(p_of(joint, x, factor.known) > 0)
            assert not defined or np.exp(factor.row).sum() == pytest.approx(1, abs=1e-12)


def p_of(joint: Floats, x: tuple[int, ...], known: tuple[int, ...]) -> float:
    """The probability of what is known, by going through every chain."""
    chains = itertools.product(range(joint.shape[0]), repeat=joint.ndim)
    return math.fsum(math.exp(joint[chain]) for chain in chains if all(chain[i] == x[i] for i in known))


@given(chains(most=4), st.data())
def test_a_conditional_is_the_quotient_of_two_sums(chain: tuple[Floats, tuple[int, ...]], data: st.DataObject) -> None:
    joint, x = chain
    order = data.draw(st.permutations(range(len(x))))
    known, index = tuple(order[: len(x) // 2]), order[len(x) // 2]
    below = p_of(joint, x, known)
    found = float(np.exp(conditional(joint, x, known, index))[x[index]])
    if below:
        assert found == pytest.approx(p_of(joint, x, (*known, index)) / below, abs=1e-12)
    else:
        assert math.isnan(found)


def test_a_conditional_that_is_not_summed_over_the_rest_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(joint: Floats, x: tuple[int, ...], known: tuple[int, ...], index: int) -> Floats:
        row = joint[tuple(slice(None) if i == index else x[i] for i in range(joint.ndim))]  # all others given
        wrong: Floats = row - np.logaddexp.reduce(row)
        return wrong

    monkeypatch.setattr(orders, "conditional", careless)
    joint = np.log(np.random.default_rng(1).dirichlet(np.ones(8)).reshape(2, 2, 2))
    found = factorised(joint, (0, 1, 0), {"own order": (0, 1, 2)})
    assert abs(found.total - joint[0, 1, 0]) > 0.01


def test_the_joint_of_a_table_is_its_products() -> None:
    table = arplay.load("abc").backend
    joint = joint_of(table.logprobs, 3, 3)  # type: ignore[attr-defined]
    assert math.exp(joint[1, 0, 2]) == pytest.approx(0.4 * 0.5 * 0.6, abs=1e-15)
    assert np.exp(joint).sum() == pytest.approx(1, abs=1e-12)


@given(st.integers(1, 60_000), st.integers(0, 12))
def test_what_is_listed_is_small_and_as_long_as_it_may_be(values: int, n: int) -> None:
    found = listable(values, n)
    assert found <= min(n, orders.LONGEST) and (not found or values**found <= orders.MOST_CHAINS)
    assert found == min(n, orders.LONGEST) or values ** (found + 1) > orders.MOST_CHAINS


@given(st.integers(1, 3), st.integers(1, 3), st.data())
def test_named_orders_go_through_every_place_once(height: int, width: int, data: st.DataObject) -> None:
    cells = data.draw(st.permutations(list(itertools.product(range(height), range(width)))))
    named = named_orders(cells, 3)
    assert all(sorted(order) == list(range(len(cells))) for order in named.values())
    assert len(set(named.values())) == len(named) and next(iter(named.values())) == tuple(range(len(cells)))
    walk = next((order for name, order in named.items() if "boustrophedon" in name), ())
    steps = [(cells[a], cells[b]) for a, b in itertools.pairwise(walk)]
    assert all(abs(a[0] - b[0]) + abs(a[1] - b[1]) == 1 for a, b in steps)  # it never jumps


@given(chains(), st.integers(0, 2**32))
def test_what_two_models_cost_beyond_the_joint_is_never_less_than_nothing(
    chain: tuple[Floats, tuple[int, ...]], seed: int
) -> None:
    joint = chain[0]
    q, r = (np.log(p).reshape(joint.shape) for p in np.random.default_rng(seed).dirichlet(np.ones(joint.size), 2))
    found, other = apart(joint, q, r), apart(joint, r, q)
    assert min(found.costs) >= found.entropy - 1e-9 and found.costs == other.costs[::-1]
    assert math.fsum(found.shares) == pytest.approx(1) and found.mean == pytest.approx(other.mean)
    assert found.mean >= abs(found.costs[0] - found.costs[1]) - 1e-9
    assert apart(joint, joint, joint).costs == (found.entropy, found.entropy)


@pytest.mark.usefixtures("few_steps")
def test_networks_of_two_orders_are_distributions_and_not_the_same() -> None:
    table = arplay.load("abc").backend
    joint = joint_of(table.logprobs, 3, 3)  # type: ignore[attr-defined]
    first, second, again = (learned(joint, order, 1, lambda part: None) for order in ((0, 1, 2), (2, 1, 0), (0, 1, 2)))
    for each in (first, second):
        assert np.exp(each.logprob).sum() == pytest.approx(1, abs=1e-9)  # it has seen nothing of what it tells
    found = apart(joint, first.logprob, second.logprob)
    assert all(0 < cost - found.entropy < 0.5 for cost in found.costs) and found.mean > 1e-3
    assert np.array_equal(first.logprob, again.logprob)


def test_a_network_that_sees_what_it_tells_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def peeking(self: Reader, chains: Tensor) -> Tensor:
        return torch.cat(
            [
                nn.functional.one_hot(chains, self.values).flatten(1).float()[:, None].expand(-1, self.n, -1),
                torch.eye(self.n).expand(len(chains), -1, -1),
            ],
            dim=2,
        )

    monkeypatch.setattr(Reader, "shown", peeking)
    joint = np.log(np.full((2, 2, 2), 1 / 8))
    assert np.exp(learned(joint, (0, 1, 2), 1, lambda part: None).logprob).sum() > 2


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def ran(model: str, content: str, *more: str) -> tuple[int, str, str]:
        (tmp_path / "given.txt").write_text(content, "utf-8")
        status = main(["orders", str(tmp_path / "given.txt"), "--model", model, *more])
        told = capsys.readouterr()
        return status, told.out, told.err

    return ran


def test_the_command_tells_orders_of_a_picture(run: Run) -> None:
    status, out, _ = run(str(XO), "#.#\n.#.\n#.#\n", "--json")
    found = json.loads(out)
    names = {each["name"]: each for each in found["orders"]}
    assert status == 0 and {"own order, by rows", "by columns", "boustrophedon"} <= set(names)
    assert names["boustrophedon"]["order"] == [0, 1, 2, 5, 4, 3, 6, 7, 8]
    assert all(each["total"] == pytest.approx(found["total"], abs=1e-12) for each in names.values())
    assert math.fsum(names["by columns"]["logprobs"]) == pytest.approx(found["total"], abs=1e-12)
    assert found["total"] == pytest.approx(-arplay.load(str(XO)).nll("#.# .#. #.#"), abs=1e-12)


def test_the_command_tells_every_order_of_a_short_text(run: Run) -> None:
    status, out, _ = run(str(ABC), "BAC")
    assert status == 0 and "every order of 3 tokens" in out and "6 orders, one total: log p = −2.1203 nats" in out
    assert "the first 9 of 10 tokens" in run(str(ABC), "BACBACBACB")[1]


def test_the_command_trains_in_two_orders_that_are_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def trained(model: arplay.Model, document: object, names: object, *, seed: int) -> TwoOrders:
        asked.append((names, seed))
        return made()

    monkeypatch.setattr(arplay.Model, "train_orders", trained)
    status, out, _ = run(str(ABC), "BAC", "--train", "--in", "2 1 3", "own", "--json")
    found = json.loads(out)["trained"]
    assert status == 0 and [each["order"] for each in found["networks"]] == [[0, 1], [1, 0]]
    assert found["here"] == 1.0 and len(found["shares"]) == len(found["edges"]) + 1
    told = run(str(ABC), "BAC", "--train", "--seed", "4")[1]
    assert "The identity is exact, the models are not." in told and asked == [(("2 1 3", "own"), 0), (None, 4)]
    assert run(str(ABC), "BA", "--in", "own", "backwards")[0] == 2


def made() -> TwoOrders:
    fair, bent = np.log([0.5, 0.5]), np.log([0.2, 0.8])
    orders = ((0, 1), (1, 0))
    return TwoOrders(("a", "b"), orders, 9, 7, 3, apart(fair, fair, bent), (1.0, 2.0), 1.0)


def test_orders_are_called_by_a_part_of_their_name() -> None:
    found = arplay.load(str(XO)).orders("#.# .#. #.#")
    names = [[each.name for each in pair(found, said)] for said in (None, ("boustro", "rows"))]
    assert names == [["own order, by rows", "by columns"], ["boustrophedon", "own order, by rows"]]
    short = arplay.load(str(ABC)).orders("BA")
    assert [each.name for each in pair(short, None)] == ["own order", "backwards"]
    for said, why in (
        (("shuffled", "rows"), "several orders"), (("spiral", "rows"), "no order"), (("rows", "own"), "both are"),
        (("", "rows"), "no order"),
    ):  # fmt: skip
        with pytest.raises(Problem, match=why):
            pair(found, said)
    with pytest.raises(Problem, match="one token has one order only"):
        pair(arplay.load(str(ABC)).orders("B"), None)


def test_what_two_networks_cost_is_told_in_words() -> None:
    found = made()
    assert [row[:3] for row in found.rows[:2]] == [("the joint, in any order", 1.0, 0.0), ("a", 1.0, 0.0)]
    assert found.rows[2][2] == pytest.approx(0.3219, abs=1e-4)
    told = "\n".join(found.lines())
    assert "Apart by 1.0000 bits a chain in the mean, by 1.0000 here" in told and "50.00%" in told
    assert "below −2" in told and "2 or more" in told and len(found.boxes) == len(found.apart.shares)


def test_training_is_a_child_that_ends_with_its_question(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Child] = []
    monkeypatch.setattr(engine, "Child", lambda *args: started.append(Child(*args)) or started[0])
    table = arplay.load(str(ABC)).backend
    text = Text.of(b"BAC")
    steps = engine.train_orders(state_of(table), engine.TrainOrders(1, text))
    assert isinstance(next(steps), Progress) and isinstance(next(steps), Pause)
    folder = Path(started[0]._guard.args[-3])  # type: ignore[index]
    assert (folder / "joint.npy").is_file() and started[0].poll() is None
    steps.close()
    assert started[0].poll() is not None and not folder.exists()


def test_a_child_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MODULE", "arplay.training.no_such")
    with pytest.raises(Problem, match=r"training two networks failed: .*No module named"):
        arplay.load(str(ABC)).train_orders("BAC")


def test_what_has_no_orders_says_why(run: Run) -> None:
    assert run(str(ABC), "")[0] == 1
    status, _, err = run("english", "The")
    assert status == 1 and "has no joint distribution written by hand" in err
