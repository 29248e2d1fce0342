"""What goes wrong between here and a hub is told apart, by the hub's real client against a loopback hub."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from arplay.core.errors import Problem
from arplay.engine import hub_fetch
from arplay.models import libraries
from arplay.models.store.hub import Name
from tests.loopback_hub import Hub, Trouble, environment, serving

CONFIG = b'{"model_type": "llama", "architectures": ["LlamaForCausalLM"]}'
EMPTY_WEIGHTS = (2).to_bytes(8, "little") + b"{}"
NAME = "org/model"
CLOSED = "http://127.0.0.1:9"
"""Nobody listens there."""


@pytest.fixture
def loopback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with one model (of a description only), which is the only one that the client knows."""
    for name in ("HF_TOKEN", "HF_HUB_CACHE", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(libraries, "_set_by_us", {"HF_HUB_OFFLINE"})
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_bytes(CONFIG)
    (tmp_path / "model" / "model.safetensors").write_bytes(EMPTY_WEIGHTS)
    with serving({NAME: tmp_path / "model"}) as made:
        for name, value in environment(made, tmp_path / "home").items():
            monkeypatch.setenv(name, value)
        yield made


def why(spec: str = NAME, download: bool = False) -> Problem:
    with pytest.raises(Problem) as caught:
        list(hub_fetch.fetch(spec, lambda: False)) if download else list(hub_fetch.describe(spec, lambda: False))
    return caught.value


def test_without_trouble_there_is_no_problem(loopback: Hub) -> None:
    assert set(hub_fetch.describe(NAME, lambda: False)) == {None}


@pytest.mark.parametrize(
    ("token", "spec", "cause", "remedy"),
    [
        ("", "org/absent", "no public model org/absent", "for a private one set HF_TOKEN"),
        ("hf_right", "org/absent", "no model org/absent that your token may see", "check the name"),
        ("hf_bad", NAME, "does not accept your HF_TOKEN", "/settings/tokens"),
        ("", f"{NAME}@v9", "org/model has no revision v9", "look at "),
    ],
)
def test_who_may_see_what(
    loopback: Hub, monkeypatch: pytest.MonkeyPatch, token: str, spec: str, cause: str, remedy: str
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    problem = why(spec)
    assert cause in problem.cause and remedy in problem.remedy


def test_a_private_model_is_there_for_its_owner(loopback: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    loopback.repositories[NAME].private = True
    assert "no public model" in why().cause
    monkeypatch.setenv("HF_TOKEN", loopback.token)
    assert set(hub_fetch.describe(NAME, lambda: False)) == {None}


def test_a_gated_model_says_where_to_ask(loopback: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    loopback.repositories[NAME].gated = True

    def noted() -> str:
        asking = hub_fetch.describe(NAME, lambda: False)
        while True:
            try:
                next(asking)
            except StopIteration as end:
                return str(end.value.problem)

    page = f"{loopback.url}/{NAME}"
    assert noted() == f"{NAME} is gated; accept its terms at {page}, then set HF_TOKEN to your token"
    assert str(why(download=True)) == noted()
    monkeypatch.setenv("HF_TOKEN", "hf_other")
    refused = f"{NAME} is gated and the account of your token has no access yet; ask for it at {page}"
    assert noted() == refused == str(why(download=True))
    monkeypatch.setenv("HF_TOKEN", loopback.token)
    assert noted() == ""


@pytest.mark.parametrize(
    ("trouble", "cause", "remedy"),
    [
        (Trouble(status=429, headers={"Retry-After": "77"}), "was asked too often", "wait 77 seconds"),
        (Trouble(status=429), "was asked too often", "wait some minutes"),
        (Trouble(status=503), "is in trouble (HTTP 503)", "try again in some minutes"),
        (Trouble(status=403), "your token may not read org/model", "right to read"),
        (Trouble(status=407), "wants a password", "HTTPS_PROXY"),
        (Trouble(status=418), "answered HTTP 418", "HF_ENDPOINT"),
    ],
)
def test_what_the_hub_answers(loopback: Hub, trouble: Trouble, cause: str, remedy: str) -> None:
    loopback.trouble = trouble
    problem = why()
    assert cause in problem.cause and remedy in problem.remedy


@pytest.mark.parametrize(("family", "refused"), [("mine", True), ("llama", False)])
def test_a_model_that_only_its_own_code_runs_is_refused_before_it_is_downloaded(
    loopback: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, family: str, refused: bool
) -> None:
    config = {
        "model_type": family,
        "architectures": ["MineForCausalLM"],
        "auto_map": {"AutoModelForCausalLM": "mine.Model"},
    }
    (tmp_path / "model" / "config.json").write_text(json.dumps(config))
    with serving({NAME: tmp_path / "model"}) as changed:
        monkeypatch.setenv("HF_ENDPOINT", changed.url)
        if refused:
            assert why().cause == f"{NAME} wants to run code of its own (auto_map), and transformers has none for it"
        else:
            assert set(hub_fetch.describe(NAME, lambda: False)) == {None}


def test_a_file_that_is_only_listed_is_told(loopback: Hub) -> None:
    loopback.trouble.gone = "model.safetensors"
    assert "lacks a file that its own list names" in why(download=True).cause


def test_the_ways_to_be_offline_are_told_apart(loopback: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://me:secret@127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    assert str(why()) == "the proxy 127.0.0.1:9 cannot be reached; check HTTPS_PROXY and NO_PROXY"
    monkeypatch.delenv("HTTP_PROXY")
    monkeypatch.setenv("HF_ENDPOINT", CLOSED)
    problem = why()
    assert "127.0.0.1:9 cannot be reached" in problem.cause and "network connection" in problem.remedy
    monkeypatch.setattr(libraries, "_set_by_us", set())
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "HF_HUB_OFFLINE forbids" in why().cause and "unset it" in why(download=True).remedy


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "became full"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "became full"),
        (OSError(errno.EFBIG, "File too large"), "a file so large"),
        (PermissionError(errno.EACCES, "Permission denied", "/x/y"), "/x/y cannot be written"),
        (OSError("Consistency check failed: file should be of size 4"), "sent less of a file than it promised"),
        (OSError(errno.EIO, "Input/output error", "/x"), "/x: Input/output error"),
        (ValueError("odd\nlong story"), "the hub's client failed with ValueError: odd"),
        (RuntimeError("wrapped"), "wrapped"),
    ],
)
def test_what_the_disk_says(error: Exception, cause: str) -> None:
    from arplay.models.store.hub_problems import why as meaning

    try:
        try:
            raise error
        except type(error) as inner:
            raise RuntimeError("wrapped") from inner
    except RuntimeError as outer:
        told = meaning(outer if "failed with" not in cause else error, Name(NAME))
    assert cause in told.cause and told.remedy


def test_a_commit_that_is_none_leads_nowhere(loopback: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.loopback_hub import Repository

    monkeypatch.setattr(Repository, "commit", "../../../x")
    assert why(download=True).cause == f"the hub names no commit of {NAME}"
