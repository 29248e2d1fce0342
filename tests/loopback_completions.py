"""A completions server on the loopback interface with a known model, in the dialect of OpenAI, of vLLM, or with faults.

The model is a table over pairs of tokens, so that every number that it tells can be looked up.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import numpy as np

WORDS = [b"<s>", b"The", b" quick", b" brown", b" fox", b" jumps", b" over", b" caf", b"\xc3", b"\xa9", b"\x1b[31m"]
TOKENS = [*WORDS, *(bytes([byte]) for byte in range(0x20, 0x7F)), b"\n"]
BOS = 0
_LOGITS = np.random.default_rng(5).normal(0, 3, (len(TOKENS), len(TOKENS)))
LOGPROBS = _LOGITS - np.log(np.exp(_LOGITS).sum(axis=1, keepdims=True))
"""log p(column | row)."""


def cut(data: bytes) -> list[int]:
    """The longest token that fits, again and again."""
    ids, at = [], 0
    while at < len(data):
        fits = (id for id, token in enumerate(TOKENS) if id != BOS and data.startswith(token, at))
        ids.append(max(fits, key=lambda id: len(TOKENS[id])))
        at += len(TOKENS[ids[-1]])
    return ids


def text(ids: list[int]) -> str:
    return b"".join(TOKENS[id] for id in ids).decode("utf-8", "replace")


def best(row: int, count: int) -> list[int]:
    return np.argsort(-LOGPROBS[row], kind="stable")[:count].tolist()


class Refuse(Exception):  # noqa: N818 - an answer
    def __init__(self, status: int, said: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(status)
        self.status, self.said, self.headers = status, said, headers or {}


class Loopback:
    """What the server does. ``kind``: "openai", "vllm", "shifted" (an echo as llama-cpp-python has it) or "bare".

    ``change``: what becomes of an answer before it is sent; ``most``: how many of the best tokens it tells; ``key``:
    the one that it wants. ``asked``: the questions so far: path, headers and body.
    """

    def __init__(self, kind: str) -> None:
        self.kind, self.most, self.key = kind, 20, ""
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self.change: Callable[[str, Any], Any] = lambda path, answer: answer
        self.address = ""
        self.faults: list[BaseException | None] = []

    def url(self, model: str = "#toy") -> str:
        return f"{self.address}/v1{model}"

    def answer(self, path: str, headers: dict[str, str], body: Any) -> Any:
        self.asked.append((path, headers, body))
        if self.key and headers.get("Authorization") != f"Bearer {self.key}":
            raise Refuse(401, {"error": {"message": f"no such key: {headers.get('Authorization')}"}})
        if path == "/v1/models":
            return {"data": [{"id": "toy", "max_model_len": 64} if self.kind == "vllm" else {"id": "toy"}]}
        if path == "/v1/completions":
            return self._complete(body)
        if path == "/tokenize" and self.kind == "vllm":
            ids = [BOS] * body["add_special_tokens"] + cut(body["prompt"].encode())
            return {"tokens": ids, "count": len(ids), "max_model_len": 64}
        if path == "/detokenize" and self.kind == "vllm":
            if max(body["tokens"]) >= len(TOKENS):
                raise Refuse(400, {"error": {"message": "a token is out of the vocabulary"}})
            return {"prompt": text(body["tokens"])}
        raise Refuse(404, {"detail": "Not Found"})

    def _complete(self, body: dict[str, Any]) -> Any:
        prompt, count = body["prompt"], body.get("logprobs")
        if count is not None and count > self.most:
            raise Refuse(400, {"message": f"logprobs must be at most {self.most}"})
        if not isinstance(prompt, str) and self.kind != "vllm":
            raise Refuse(422, {"detail": [{"msg": "Input should be a valid string"}]})
        if body.get("echo") and self.kind == "bare":
            raise Refuse(400, {"error": {"message": "echo is not supported"}})
        ids = cut(prompt.encode()) if isinstance(prompt, str) else list(prompt)
        if not ids or max(ids) >= len(TOKENS):
            raise Refuse(400, {"error": {"message": "a token is out of the vocabulary"}})
        drawn = best(ids[-1], 1)[0]
        choice: dict[str, Any] = {"index": 0, "text": text([drawn]), "logprobs": None, "finish_reason": "length"}
        if count is not None:
            as_ids = bool(body.get("return_tokens_as_token_ids")) and self.kind == "vllm"
            chain = [*ids, drawn] if body.get("echo") else [ids[-1], drawn]
            rows = [self._place(chain, at, count, as_ids) for at in range(1, len(chain))]
            tokens, logprobs, tops = (list(column) for column in zip(*rows, strict=True))
            if body.get("echo"):
                choice["text"] = text([*ids, drawn])
                tokens, logprobs, tops = [text(ids[:1]), *tokens], [None, *logprobs], [None, *tops]
                if self.kind == "shifted":
                    tops = [None, *tops[2:], tops[1]]
            choice["logprobs"] = {"tokens": tokens, "token_logprobs": logprobs, "top_logprobs": tops}
        if body.get("prompt_logprobs") is not None and self.kind == "vllm":
            told = (self._of_prompt(ids, at, body["prompt_logprobs"]) for at in range(1, len(ids)))
            choice["prompt_logprobs"] = [None, *told]
        return {"object": "text_completion", "choices": [choice]}

    def _place(self, chain: list[int], at: int, count: int, as_ids: bool) -> tuple[str, float, dict[str, float]]:
        before, id = chain[at - 1], chain[at]

        def name(id: int) -> str:
            return f"token_id:{id}" if as_ids else text([id])

        told = dict.fromkeys([*best(before, count), id])
        return name(id), float(LOGPROBS[before, id]), {name(each): float(LOGPROBS[before, each]) for each in told}

    def _of_prompt(self, ids: list[int], at: int, count: int) -> dict[str, Any]:
        before = ids[at - 1]
        told = dict.fromkeys([ids[at], *best(before, count)])
        ranks = {id: rank for rank, id in enumerate(best(before, len(TOKENS)), 1)}
        return {
            str(id): {"logprob": float(LOGPROBS[before, id]), "rank": ranks[id], "decoded_token": text([id])}
            for id in told
        }


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self._serve(None)

    def do_POST(self) -> None:
        self._serve(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _serve(self, body: Any) -> None:
        loopback, status, headers = self.server.loopback, 200, {}
        try:
            answer = loopback.change(self.path, loopback.answer(self.path, dict(self.headers), body))
        except Refuse as refuse:
            status, answer, headers = refuse.status, refuse.said, refuse.headers
        if callable(answer):
            answer(self)
            return
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Server(HTTPServer):
    loopback: Loopback

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asked has gone: that is what some tests are about. Anything else is a fault of this server."""
        error = sys.exception()
        if not isinstance(error, OSError):
            self.loopback.faults.append(error)


@contextmanager
def serving(kind: str) -> Iterator[Loopback]:
    """A running server."""
    loopback = Loopback(kind)
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.loopback = loopback
        loopback.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield loopback
        finally:
            server.shutdown()
            thread.join()
    assert not loopback.faults
