"""A model at a server: its numbers, what is not told, and everything that a server may do wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import arplay
from arplay import cli
from arplay.core.errors import Problem
from arplay.models import catalogue
from arplay.models.families.remote import http as remote_http
from arplay.models.families.remote.tokens import MOST_BYTES, SeenTokens
from tests import loopback_completions
from tests.loopback_completions import BOS, LOGPROBS, TOKENS, Loopback, Refuse, best, cut, serving

TEXT = "The quick fox jumps over cafe"
KINDS = ("openai", "vllm")


@pytest.mark.parametrize(("size", "count"), [(1 << 20, 63), (1 << 20, 64), (1 << 14, 4096), (1 << 14, 4097)])
def test_what_a_server_names_takes_64_mib_at_most(size: int, count: int) -> None:
    tokens = SeenTokens()

    def learn() -> None:
        for i in range(count):
            for _ in range(2):  # one that is known takes nothing
                tokens.learn(f"{i:05}".encode().ljust(size))

    if size * count <= MOST_BYTES:
        learn()
        assert len(tokens) == count
    else:
        with pytest.raises(Problem, match="take more than 64 MiB"):
            learn()
        assert size * len(tokens) <= MOST_BYTES


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(remote_http.KEY, raising=False)


@pytest.fixture(params=KINDS)
def any_kind(request: pytest.FixtureRequest) -> Iterator[Loopback]:
    with serving(request.param) as server:
        yield server


@pytest.fixture
def openai() -> Iterator[Loopback]:
    with serving("openai") as server:
        yield server


@pytest.fixture
def vllm() -> Iterator[Loopback]:
    with serving("vllm") as server:
        yield server


def test_what_comes_next_is_what_the_server_tells_and_no_more(any_kind: Loopback) -> None:
    after = arplay.load(any_kind.url()).next(TEXT)
    row = cut(TEXT.encode())[-1]
    wanted = [id for id in best(row, any_kind.most) if any_kind.kind == "vllm" or TOKENS[id].isascii()]
    told = after.top(99)
    assert [token.logprob for token in told] == pytest.approx([LOGPROBS[row, id] for id in wanted])
    texts = [TOKENS[id].decode() for id in wanted if TOKENS[id].isascii()]
    assert [token.text for token in told if not token.text.startswith("<token")] == texts
    assert after.entropy is None
    known = float(np.exp([LOGPROBS[row, id] for id in wanted]).sum())
    assert after.distribution.rest(after.distribution.top(99)) == (None, pytest.approx(1 - known))
    with pytest.raises(Problem, match="log-probs are known"):
        _ = after.logprobs


def test_scores_are_those_of_the_servers_own_tokens(any_kind: Loopback) -> None:
    score = arplay.load(any_kind.url()).score(TEXT)
    ids = cut(TEXT.encode())
    lead = [BOS] if any_kind.kind == "vllm" else []
    chain = [*lead, *ids]
    wanted = [LOGPROBS[before, id] for before, id in pairwise(chain)]
    assert score.tokens == tuple(TOKENS[id].decode() for id in ids)
    assert score.logprob[1 - len(lead) :] == pytest.approx(wanted)
    assert np.isnan(score.entropy).all()
    ranks = [best(before, len(TOKENS)).index(id) + 1 for before, id in pairwise(chain)]
    told = score.rank[1 - len(lead) :].tolist()
    assert all(mine in (rank, 0) for mine, rank in zip(told, ranks, strict=True))
    assert all(mine == rank for mine, rank in zip(told, ranks, strict=True) if rank <= 5 or any_kind.kind == "vllm")
    assert score.ledger.best_logprobs[-1, 0] == pytest.approx(LOGPROBS[chain[-2]].max())


def test_another_question_gives_the_same_sum(any_kind: Loopback) -> None:
    model = arplay.load(any_kind.url())
    score = model.score(TEXT)
    asked = len(any_kind.asked)
    alone = model.backend.teacher_forced([*model.loaded.lead, *score.ids.tolist()])
    assert len(any_kind.asked) > asked, "it was really asked"
    assert np.nansum(alone) == pytest.approx(-score.nll_nats)


def test_a_text_is_asked_for_once(openai: Loopback) -> None:
    model = arplay.load(openai.url())
    model.score(TEXT)
    asked = len(openai.asked)
    model.score(TEXT)
    model.next(TEXT)
    assert len(openai.asked) == asked + 1, "the next token only"


def test_samples_are_drawn_of_what_is_known(any_kind: Loopback) -> None:
    model = arplay.load(any_kind.url())
    sample = model.sample("The", 5, seed=1, pipeline="top-k:3")
    chain = cut(b"The")
    for step in sample.steps:
        known = [model.vocabulary.label(step.id)]
        assert step.rank <= 3 and known
    assert sample.text and sample.stopped == "length"
    told = sample.as_dict()["steps"][0]
    id = best(chain[-1], 3)[told["rank"] - 1]
    assert told["logprob"] == pytest.approx(LOGPROBS[chain[-1], id])


def test_a_draw_among_what_is_not_told_ends_the_sample_in_words(any_kind: Loopback) -> None:
    any_kind.most = 1
    sample = arplay.load(any_kind.url()).sample("The", 5, us=[0.0, 0.9999, 0.0])
    assert (len(sample.steps), sample.stopped) == (1, "untold")
    assert "the server does not tell" in sample.untold


@pytest.mark.parametrize("pipeline", ["temperature:0.5", "top-k:40", "top-p:0.999999"])
def test_what_would_need_every_token_is_refused_with_the_way_out(openai: Loopback, pipeline: str) -> None:
    model = arplay.load(openai.url())
    with pytest.raises(Problem, match=r"top-k of at most \d+ before"):
        model.next(TEXT, pipeline)
    assert model.next(TEXT, f"top-k:5,{pipeline}").top(1)[0].decoded_prob is not None


def test_picked_tokens_go_back_as_ids(vllm: Loopback) -> None:
    model = arplay.load(vllm.url())
    letters = [model.backend.alphabet.encode(letter.encode()).ids[0] for letter in "The"]  # which is one token to it
    session = model.backend.session()
    session.read([*model.loaded.lead, *letters])
    session.distribution()
    asked = [body["prompt"] for path, _, body in vllm.asked if path == "/v1/completions"]
    assert asked[-1] == [BOS, *(TOKENS.index(letter) for letter in (b"T", b"h", b"e"))]


def test_a_token_that_the_server_cuts_otherwise_has_no_score(openai: Loopback) -> None:
    model = arplay.load(openai.url())
    letters = [model.backend.alphabet.encode(letter.encode()).ids[0] for letter in "The"]
    chain = [*letters, *model.backend.alphabet.encode(b" fox jumps").ids.tolist()]
    scores = model.backend.session().extend(chain)
    assert np.isnan(scores.logprob[:3]).all()
    assert scores.logprob[3:] == pytest.approx(
        [LOGPROBS[before, id] for before, id in zip(cut(b"The fox"), cut(b" fox jumps"), strict=True)]
    )


def test_tokens_keep_their_ids_and_tell_the_servers(vllm: Loopback) -> None:
    model = arplay.load(vllm.url())
    before = model.vocabulary
    model.next(TEXT)
    after = model.vocabulary
    assert len(after) > len(before) and after.name == before.name
    assert [after.label(id) for id in range(len(before))] == [before.label(id) for id in range(len(before))]
    fox = after.find(" fox")[0]
    assert ("the server's id", f"{TOKENS.index(b' fox')}") in after.details(fox)
    nameless = after.find(f"<token {TOKENS.index(bytes([0xC3]))}>")
    assert all(after.is_special(id) for id in nameless)


def test_an_echo_that_contradicts_the_server_scores_nothing() -> None:
    with serving("shifted") as server:
        model = arplay.load(server.url())
        assert model.next(TEXT).top(1)[0].logprob == pytest.approx(LOGPROBS[cut(TEXT.encode())[-1]].max())
        with pytest.raises(Problem, match="are not those that it gives"):
            model.score(TEXT)
        assert any("scores:" in sentence for sentence in model.info.not_used)


def test_without_an_echo_words_stand_for_tokens_and_that_is_told() -> None:
    with serving("bare") as server:
        model = arplay.load(server.url())
        after = model.next(TEXT)
        assert after.top(1)[0].logprob == pytest.approx(LOGPROBS[cut(TEXT.encode())[-1]].max())
        assert after.answer.prefix.index == len(TEXT.split())
        assert any("words stand for them" in sentence for sentence in model.info.not_used)
        with pytest.raises(Problem, match="gives no log-probs of the prompt") as told:
            model.score(TEXT)
        assert "use a server" in told.value.remedy


def test_what_nobody_knows_is_null_in_json(any_kind: Loopback, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["next", "--model", any_kind.url(), "--prompt", TEXT, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["model"]["vocabulary"] is None and told["entropy"] == {"nats": None, "bits": None}
    assert told["rest"]["count"] is None and 0 < told["rest"]["prob"] < 1
    assert told["model"]["source"] == any_kind.url()


@pytest.mark.parametrize("suffix", [".json", ".csv", ".png", ".svg"])
@pytest.mark.parametrize("chart", ["bars", "heatmap", "ledger"])
def test_every_chart_is_exported(any_kind: Loopback, chart: str, suffix: str, tmp_path: Path) -> None:
    out = tmp_path / f"chart{suffix}"
    command = ["export", "--model", any_kind.url(), "--prompt", TEXT, "--chart", chart, "--out", str(out)]
    assert cli.main(command) == 0
    assert out.stat().st_size > 100


def test_what_needs_every_log_prob_says_so(openai: Loopback, capsys: pytest.CaptureFixture[str]) -> None:
    model = arplay.load(openai.url())
    for ask in (lambda: model.timings(TEXT), lambda: model.backend.uncached([0]), lambda: model.backend.batch([[0]])):
        with pytest.raises(Problem):
            ask()
    assert cli.main(["bench", "--model", openai.url()]) == 1
    assert "runs at a server" in capsys.readouterr().err


def test_the_cards_of_servers_need_no_network(capsys: pytest.CaptureFixture[str]) -> None:
    url = "http://192.0.2.1:9/v1#org/name"  # a host that nobody has (RFC 5737)
    card = next(card for card in catalogue.cards([url, "https://host/v1"]) if card.spec == url)
    assert (card.title, card.origin, card.state, card.kind) == ("org/name", "server", "ready", "remote")
    assert catalogue.is_ready(url) and catalogue.spec_of(url) == url
    with pytest.raises(Problem, match="was not downloaded"):
        catalogue.remove(url)


# ---- which host, which model, which key


@pytest.mark.parametrize(
    "spec",
    ["http://", "http:///v1", "http://a b/v1", "http://host:99999/v1", "http://host:0/v1", "http://hö.example/v1",
     "http://host/v1?api_key=secret", "http://me:secret@host/v1", "http://host/a b", "http://host/v1#a\nb", "http://[::1/v1"],
)  # fmt: skip
def test_what_is_no_address_is_told_without_a_secret(spec: str) -> None:
    for look in (arplay.load, catalogue.card):
        with pytest.raises(Problem) as told:
            look(spec)
        assert "secret" not in str(told.value)
    assert all(card.spec != spec for card in catalogue.cards([spec]))


@pytest.mark.parametrize("spec", ["http://127.0.0.1:8000/v1#a/b", "HTTPS://host", "http://[::1]:1/v1#n"])
def test_addresses(spec: str) -> None:
    address = remote_http.parse(spec)
    again = remote_http.parse(f"{address.base}#{address.model}")
    assert address == again


def test_nobody_is_there() -> None:
    with serving("openai") as server:
        url = server.url()
    with pytest.raises(Problem, match="no server answers at 127"):
        arplay.load(url)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(openai: Loopback, status: int) -> None:
    with serving("openai") as other:

        def redirect(path: str, answer: Any) -> Any:
            raise Refuse(status, {}, {"Location": f"{other.address}{path}\x1b[2J".replace("\x1b", "%1b")})

        openai.change = redirect
        with pytest.raises(Problem, match="where nobody goes"):
            arplay.load(openai.url())
        assert not other.asked


def test_no_proxy_is_asked(openai: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert arplay.load(openai.url()).next("The").top(1)


def test_a_model_is_named_or_the_only_one(openai: Loopback) -> None:
    assert arplay.load(openai.url("")).info.name == "toy"
    with pytest.raises(Problem, match="has no model other") as told:
        arplay.load(openai.url("#other"))
    assert "toy" in told.value.remedy
    openai.change = lambda path, answer: {"data": [{"id": "a"}, {"id": "b\x1b[2J"}]} if "models" in path else answer
    with pytest.raises(Problem, match="has 2 models") as told:
        arplay.load(openai.url(""))
    assert "\x1b" not in str(told.value)


def test_the_key_goes_to_the_server_and_nowhere_else(
    any_kind: Loopback, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    any_kind.key = "sk-very-secret"
    with pytest.raises(Problem, match="wants a key"):
        arplay.load(any_kind.url())
    monkeypatch.setenv(remote_http.KEY, "sk-wrong-one")
    with pytest.raises(Problem, match=f"does not take the key in {remote_http.KEY}") as told:
        arplay.load(any_kind.url())
    assert "sk-wrong-one" not in str(told.value)
    monkeypatch.setenv(remote_http.KEY, "sk-very-secret")
    assert cli.main(["next", "--model", any_kind.url(), "--prompt", TEXT, "--json"]) == 0
    (tmp_path / "text").write_text(TEXT, "utf-8")
    assert cli.main(["score", "--model", any_kind.url(), str(tmp_path / "text")]) == 0
    assert "sk-very-secret" not in "".join(capsys.readouterr())
    assert all(headers["Authorization"] == "Bearer sk-very-secret" for _, headers, _ in any_kind.asked[-3:])


@pytest.mark.parametrize("before", range(180, 201, 4))
def test_no_part_of_the_key_is_shown_where_the_answer_is_cut(
    openai: Loopback, monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    def refuse(path: str, answer: Any) -> Any:
        raise Refuse(400, {"message": f"{'x' * before}sk-very-secret"})

    monkeypatch.setenv(remote_http.KEY, "sk-very-secret")
    openai.change = refuse
    with pytest.raises(Problem, match="xxx") as told:
        arplay.load(openai.url())
    assert "s" not in str(told.value).partition("xxx")[2].partition(";")[0]


@pytest.mark.parametrize("key", ["two words", "line\nend", "schlüssel", "x" * 5000])
def test_a_key_that_is_none_is_not_sent(openai: Loopback, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv(remote_http.KEY, key)
    with pytest.raises(Problem, match="holds no key"):
        arplay.load(openai.url())
    assert not openai.asked


# ---- answers of every kind


def test_escape_sequences_in_tokens_and_names_are_signs(openai: Loopback, capsys: pytest.CaptureFixture[str]) -> None:
    def named(path: str, answer: Any) -> Any:
        if "models" in path:
            return {"data": [{"id": "toy\x1b[2J\u202e"}]}
        told = (answer["choices"][0]["logprobs"] or {}).get("top_logprobs")
        for top in told or ():
            if top:
                top["\x1b[31mred\u202e\r"] = top.pop(max(top, key=lambda text: top[text]))
        return answer

    openai.change = named
    assert cli.main(["next", "--model", openai.url(""), "--prompt", "The"]) == 0
    shown = capsys.readouterr()
    assert "⟨ESC⟩[31mred⟨U+202E⟩⟨CR⟩" in shown.out
    assert not re.search("[\x1b\u202e\r]", shown.out + shown.err)


@pytest.mark.parametrize(
    "said",
    [b"", b"{", b"[" * 100_000, b"\xff\xfe", b"null", b"[]", b"1" * 5000, b'{"data": 5}', b'{"data": [{"id": 5}]}',
     b'{"data": [{"id": "toy", "max_model_len": -1}]}', b'{"choices": []}', b"<html>\x1b[2J</html>"],
)  # fmt: skip
@pytest.mark.parametrize("where", ["/v1/models", "/v1/completions", "/tokenize", "/detokenize"])
def test_an_answer_of_another_form_is_told(any_kind: Loopback, said: bytes, where: str) -> None:
    any_kind.change = lambda path, answer: said if path == where else answer
    if any_kind.kind == "openai" and "tokenize" in where:
        assert arplay.load(any_kind.url()), "it is never asked for that"
        return
    with pytest.raises(Problem) as told:
        arplay.load(any_kind.url())
    assert "\x1b" not in str(told.value)


def test_a_number_beyond_every_float_is_told(any_kind: Loopback) -> None:
    def changed(path: str, answer: Any) -> Any:
        told = (answer.get("choices") or [{}])[0].get("logprobs")
        for top in told["top_logprobs"] if told else ():
            for name in top or ():
                top[name] = -(10**400)
        return answer

    any_kind.change = changed
    with pytest.raises(Problem, match="is a number of more than 20 digits"):
        arplay.load(any_kind.url())


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inside:
        yield from places(part, (*at, key))


def put(value: Any, at: tuple[Any, ...], new: Any) -> Any:
    if not at:
        return new
    changed = dict(value) if isinstance(value, dict) else list(value)
    changed[at[0]] = put(changed[at[0]], at[1:], new)
    return changed


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_an_answer_with_anything_anywhere_is_a_problem_or_an_answer(any_kind: Loopback, data: st.DataObject) -> None:
    any_kind.change = lambda path, answer: answer
    model = arplay.load(any_kind.url())

    share, new, which = data.draw(st.floats(0, 1, exclude_max=True)), data.draw(ANYTHING), data.draw(st.integers(0, 3))
    numbers = count()

    def changed(path: str, answer: Any) -> Any:
        found = list(places(answer))
        return put(answer, found[int(share * len(found))], new) if next(numbers) == which else answer

    any_kind.change = changed
    try:
        after = model.next("The quick fox")
        assert sum(token.prob or 0 for token in after.top(99)) <= 1.01
        assert model.score("The fox").nll_nats >= 0
    except Problem:
        pass


def test_probabilities_beyond_1_are_refused(openai: Loopback) -> None:
    def louder(path: str, answer: Any) -> Any:
        for top in ((answer.get("choices") or [{}])[0].get("logprobs") or {}).get("top_logprobs") or ():
            for text in top or ():
                top[text] = -0.1
        return answer

    openai.change = louder
    model = arplay.load(openai.url())
    with pytest.raises(Problem, match="sum to more than 1"):
        model.next("The")


def test_the_toy_is_a_model() -> None:
    assert np.exp(loopback_completions.LOGPROBS).sum(axis=1) == pytest.approx(np.ones(len(TOKENS)))
    assert loopback_completions.text(cut(TEXT.encode())) == TEXT
