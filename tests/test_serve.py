"""`arplay serve`, a process of its own asked over the loopback interface: its numbers are those of the model here."""

from __future__ import annotations

import asyncio
import functools
import importlib.util
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

import arplay
from arplay.cli import main
from arplay.core.conventions import every, rolling
from arplay.serving.completions import LEAST, Asked, Refused, complete

pytest.importorskip("uvicorn", reason="the server's libraries are not installed (the extra serve)")
from starlette.requests import Request

from arplay.serving import server
from arplay.serving.server import admit

TEXT = "It was a dark night, é 好."
KEY = "a key of the tests"


class Client:
    def __init__(self, address: str) -> None:
        self.address = address

    def ask(self, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, {"Authorization": f"Bearer {KEY}", **headers})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            said = error.read()
            return error.code, json.loads(said) if said.startswith(b"{") else said.decode()

    def complete(self, prompt: Any, **more: Any) -> Any:
        status, said = self.ask("/v1/completions", {"prompt": prompt, **more})
        assert status == 200, said
        return said


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    command = [sys.executable, "-m", "arplay", "serve", "--model", "english", "--port", "0", "--key-env", "ARPLAY_KEY"]
    environment = {**os.environ, "ARPLAY_KEY": KEY}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stderr is not None
        try:
            said = (re.search(r"answers at (http://127\.0\.0\.1:\d+)/v1", line) for line in server.stderr)
            yield Client(next(found for found in said if found)[1])
        finally:
            server.terminate()
            assert server.wait(20) in (0, -15)


@pytest.fixture(scope="module")
def english() -> arplay.Model:
    return arplay.load("english")


def test_log_probs_of_a_prompt(client: Client, english: arplay.Model) -> None:
    score, said = english.score(TEXT), client.complete(TEXT, max_tokens=0, echo=True, logprobs=5)
    told = said["choices"][0]["logprobs"]
    assert said["choices"][0]["text"] == TEXT and told["token_ids"] == score.ids.tolist()
    assert np.allclose(told["token_logprobs"], score.logprob, atol=1e-6) and told["ranks"] == score.rank.tolist()
    assert "".join(told["token_bytes"]) == TEXT.encode().hex()
    for id, logprob, top, named in zip(
        told["token_ids"], told["token_logprobs"], told["top_tokens"], told["top_logprobs"], strict=True
    ):
        assert {"id": id, "logprob": logprob} in top and logprob in named.values() and 5 <= len(top) <= 6
    assert said["usage"] == {"prompt_tokens": len(score), "completion_tokens": 0, "total_tokens": len(score)}
    characters = [TEXT.encode()[:start].decode(errors="ignore") for start in score.ledger.starts.tolist()]
    assert told["text_offset"] == [len(before) for before in characters], "tokens inside a letter begin in it"


def test_ids_are_read_exactly(client: Client, english: arplay.Model) -> None:
    ids = english.encode(TEXT).ids.tolist()
    bare, led = (client.complete(each, max_tokens=0, echo=True, logprobs=0)["choices"][0] for each in (ids, [0, *ids]))
    assert bare["logprobs"]["token_logprobs"][0] is None, "nothing stands before the first"
    assert np.allclose(led["logprobs"]["token_logprobs"][1:], english.score(TEXT).logprob, atol=1e-6)
    several = client.complete([ids, "It"], max_tokens=0, echo=True, logprobs=0)["choices"]
    assert [choice["index"] for choice in several] == [0, 1] and several[0] == bare


@pytest.mark.parametrize(
    ("more", "pipeline"),
    [
        ({"temperature": 0}, "temperature:0"),
        ({"temperature": 0.7, "top_p": 0.9, "top_k": 40, "seed": 5}, "top-k:40,top-p:0.9,temperature:0.7"),
        ({"presence_penalty": 0.5, "temperature": 0.8, "seed": 2}, "presence:0.5,temperature:0.8"),
    ],
)
def test_it_draws_what_the_command_line_draws(
    client: Client, english: arplay.Model, more: dict[str, Any], pipeline: str
) -> None:
    drawn = english.sample(TEXT, 6, seed=more.get("seed", 0), pipeline=pipeline)
    choice = client.complete(TEXT, max_tokens=6, logprobs=1, **more)["choices"][0]
    assert choice["text"] == drawn.text and choice["token_ids"] == drawn.ids.tolist()
    assert np.allclose(choice["logprobs"]["token_logprobs"], drawn.logprob, atol=1e-4)
    assert choice["finish_reason"] == "length"
    assert choice["logprobs"]["text_offset"][0] == len(TEXT), "from the beginning of the prompt on"
    first = drawn.text[1:3]
    stopped = client.complete(TEXT, max_tokens=6, stop=first, **more)["choices"][0]
    assert (stopped["text"], stopped["finish_reason"]) == (drawn.text.partition(first)[0], "stop")


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"{", 400, "no JSON"),
        (b"[" * 100_000, 400, "no JSON"),
        ([1], 400, "no JSON object"),
        ({"prompt": 3}, 400, "prompt is a text"),
        ({"prompt": []}, 400, "1 to 256 prompts"),
        ({"prompt": [[]]}, 400, "prompt is a text"),
        ({"prompt": [4096]}, 400, "outside of the vocabulary of 4,096"),
        ({"prompt": [-1]}, 400, "outside of the vocabulary"),
        ({"prompt": "\ud800"}, 400, "not UTF-8"),
        ({"prompt": "a", "logprobs": 6}, 400, "from 0 to 5"),
        ({"prompt": "a", "max_tokens": -1}, 400, "max_tokens"),
        ({"prompt": "a", "max_tokens": 1.5}, 400, "max_tokens"),
        ({"prompt": "a", "temperature": "hot"}, 400, "temperature is no number"),
        ({"prompt": "a", "top_p": 7}, 400, "top-p"),
        ({"prompt": "a", "top_p": 10**400}, 400, "top-p"),
        ({"prompt": "a", "seed": 2**64}, 400, "seed"),
        ({"prompt": "a", "n": 2}, 400, "n = 2 is not served"),
        ({"prompt": "a", "stream": True}, 400, "stream = True is not served"),
        ({"prompt": "a", "stop": [""]}, 400, "stop is a text"),
        ({"prompt": "a", "typical_p": 0.5}, 400, "typical_p = 0.5 is not served"),
        ({"prompt": "a", "logit_bias": {"5": 1}}, 400, "logit_bias"),
        ({"prompt": "a", "top_k": 1.5}, 400, "top-k 1.5"),
        ({"prompt": "a", "echo": "no"}, 400, "echo is true or false"),
        ({"prompt": "a", "max_tokens": 10**30}, 400, "max_tokens is at most 131,072"),
        (b'{"prompt": "a", "temperature": NaN}', 400, "temperature is no number"),
        (b'{"prompt": "a", "seed": %s}' % (b"9" * 5000), 400, "no JSON"),
        ({"prompt": [1] * 514}, 400, "514 tokens, and the context is 512"),
        (b" " * (8 * 1024 * 1024 + 1), 413, "8 MiB"),
    ],
)
def test_what_cannot_be_followed_is_told(client: Client, body: Any, status: int, words: str) -> None:
    found, said = client.ask("/v1/completions", body)
    assert found == status and words in said["error"]["message"]


def test_who_may_ask(client: Client) -> None:
    assert client.ask("/v1/models", Authorization="Bearer another")[0] == 401
    status, said = client.ask("/v1/models", Host="evil.example")
    assert status == 403, "a page of a browser under a name of its own"
    assert "ask it as 127.0.0.1" in said["error"]["message"]
    for host in ("LOCALHOST:80", "[::1]:8000", "127.0.0.1"):
        assert client.ask("/v1/models", Host=host)[0] == 200
    status, said = client.ask("/v1/models")
    assert status == 200 and said["data"][0]["id"] == "english"
    assert str(Path(arplay.__file__).parent.parent) not in json.dumps(said), "no path of this machine"
    for path, body, status in (("/nothing", None, 404), ("/v1/completions", None, 405), ("/v1/models", {}, 405)):
        found, said = client.ask(path, body)
        assert found == status and "there are GET /v1/models" in said["error"]["message"]


def test_a_page_of_a_browser_needs_the_key() -> None:
    asking = {"type": "http", "method": "POST", "path": "/", "headers": [(b"origin", b"http://evil.example")]}
    with pytest.raises(Refused, match="with a key only") as refused:
        admit(Request(asking), "")
    assert refused.value.status == 403
    admit(Request({**asking, "headers": []}), "")
    for key in ("k", "clé"):
        said = (b"authorization", f"Bearer {key}".encode())
        admit(Request({**asking, "headers": [*asking["headers"], said]}), key)  # type: ignore[misc]


def test_tokens_of_a_text(client: Client, english: arplay.Model) -> None:
    _, said = client.ask("/tokenize", {"prompt": TEXT})
    assert said["tokens"] == english.encode(TEXT).ids.tolist() and "".join(said["bytes"]) == TEXT.encode().hex()
    assert [client.ask("/tokenize", each)[0] for each in ({"prompt": 3}, [1], {})] == [400] * 3


def test_an_impossible_token_has_a_log_prob_that_json_can_write(tmp_path: Path) -> None:
    table = tmp_path / "never.json"
    table.write_text('{"alphabet": ["A", "B"], "rows": {"": {"A": 1.0}}}')
    told = complete(arplay.load(table), Asked("AB", 0, (), 0, (), True, 2), 0, lambda: None)["logprobs"]
    assert told["token_logprobs"] == [0, LEAST] and told["top_logprobs"][1] == {"A": 0, "B": LEAST}
    json.dumps(told, allow_nan=False)


def test_what_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that asks nothing, one that goes on asking nothing, and a body that stops."""
    monkeypatch.setattr(server, "COMING_SECONDS", 0.3)
    stop = server.Stop()
    serving = server.Server(server.application(arplay.load("abc"), stop), stop)
    head = b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n"
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serving.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            for begun, ends in (
                (b"", b""),
                (head, b""),
                (head + b"\r\n" + head, b"}"),
                (b"POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{", b"0.3"),
            ):
                with socket.create_connection(listening.getsockname(), timeout=60) as asking:
                    asking.sendall(begun)
                    said = b"".join(iter(lambda: asking.recv(1 << 16), b""))
                assert (ends in said if ends else not said) and said.count(b"HTTP/1.1 200") == (ends == b"}")
        finally:
            serving.should_exit = True
            thread.join()


def leaving(client: Client, prompts: list[str], most: int) -> socket.socket:
    """Who asks for much, and has not left yet."""
    host, _, port = client.address.removeprefix("http://").partition(":")
    body = json.dumps({"prompt": prompts, "max_tokens": most}).encode()
    head = f"POST /v1/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {KEY}\r\n"
    asking = socket.create_connection((host, int(port)))
    asking.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    return asking


def test_a_client_that_leaves_holds_up_nobody(client: Client) -> None:
    leaving(client, [TEXT] * 200, 400).close()
    assert client.complete(TEXT, max_tokens=1)["usage"]["completion_tokens"] == 1


def test_who_leaves_while_waiting_gives_the_place_back() -> None:
    """The thread of the one whose turn it is does not come back before all others have left."""

    async def leave(many: int) -> tuple[list[BaseException | None], str]:
        stop, free = server.Stop(), threading.Event()
        desk = server.Desk(arplay.load("abc"), stop)

        class Asking:
            left = False

            async def is_disconnected(self) -> bool:
                return self.left

        def run(one: Asking, work: Callable[[Callable[[], None]], Any]) -> asyncio.Task[Any]:
            return asyncio.create_task(desk.run(cast("Request", one), work))

        slow = run(Asking(), lambda check: free.wait(60))
        others = [Asking() for _ in range(many)]
        waiting = [run(one, lambda check: None) for one in others]
        await asyncio.sleep(0)
        with pytest.raises(Refused, match="too many"):
            await run(Asking(), lambda check: None)
        for one in others:
            one.left = True
        async with asyncio.timeout(3):
            ended = await asyncio.gather(*waiting, return_exceptions=True)
        after = run(Asking(), lambda check: "served")
        await asyncio.sleep(0)
        free.set()
        assert await slow
        return ended, await after

    ended, after = asyncio.run(leave(server.MOST_WAITING - 1))
    assert {type(each) for each in ended} == {server.Gone} and after == "served"


def test_ctrl_c_ends_what_is_being_computed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "arplay", "serve", "--model", "english", "--port", "0"]
    listen = functools.partial(signal.signal, signal.SIGINT, signal.default_int_handler)  # as in a terminal
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=listen) as process:
        assert process.stderr is not None
        said = re.search(r"(http://127\.0\.0\.1:\d+)/v1", process.stderr.readline())
        assert said is not None
        with leaving(Client(said[1]), [TEXT] * 200, 400) as asking:
            while Client(said[1]).ask("/v1/models")[0] != 200:
                pass
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 130 and process.stderr.read() == ""
            assert b"the server ends" in asking.recv(1 << 16)


def test_it_ends_between_two_tokens(english: arplay.Model) -> None:
    asked = 0

    def leave() -> None:
        nonlocal asked
        asked += 1
        if asked == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        complete(english, Asked(TEXT, 50, (), 0, (), False, None), 0, leave)
    assert asked == 3
    with pytest.raises(Refused, match="reads no text"):
        complete(arplay.load("xo"), Asked("#", 1, (), 0, (), False, None), 0, leave)


def test_other_machines_need_a_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--model", "abc", "--host", "0.0.0.0"]) == 2
    assert "lets other machines in" in capsys.readouterr().err
    assert main(["serve", "--model", "abc", "--key-env", "ARPLAY_NO_SUCH_KEY"]) == 1
    assert main(["serve", "--model", "abc", "--port", "99999"]) == 2, "another one would be listened at"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["serve", "--model", "abc", "--port", str(taken.getsockname()[1])]) == 1
    assert "cannot be listened at" in capsys.readouterr().err


def test_the_harness_scores_through_it(client: Client, english: arplay.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    if importlib.util.find_spec("lm_eval") is None:
        pytest.skip("lm-evaluation-harness is not installed (pip install 'arplay[harness]')")
    from lm_eval.api.instance import Instance
    from lm_eval.models.openai_completions import LocalCompletionsAPI

    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setattr("tqdm.tqdm.monitor_interval", 0)  # its thread would stay
    address = f"{client.address}/v1/completions"
    harness = LocalCompletionsAPI(base_url=address, model="english", tokenizer=english.info.source, max_length=129)
    ((logprob, greedy),) = harness.loglikelihood([Instance("loglikelihood", {}, ("Is it night?", " no"), 0)])
    expected = english.candidates("Is it night?", [" no"]).candidates[0]
    assert not greedy and logprob < 0 and expected.logprob < 0  # which has no BOS before it there
    text = (Path(arplay.__file__).parents[1] / "LICENSE").read_text()
    (rolled,) = harness.loglikelihood_rolling([Instance("loglikelihood_rolling", {}, (text,), 0)])
    chain = [english.backend.alphabet.bos or 0, *english.encode(text).ids.tolist()]
    passes = rolling(len(chain), 127, 1)  # a token is left for what it has the server write, and one for BOS
    parts = [english.backend.teacher_forced(chain[p.start : p.stop])[p.first - p.start :] for p in passes]
    assert rolled == pytest.approx(-(every(passes, parts).nll or 0), rel=1e-4)
