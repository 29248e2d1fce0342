"""The server: who may ask, in which turn, and how answers go out. One model, one answer at a time."""

from __future__ import annotations

import asyncio
import hmac
import json
import time
from collections.abc import Awaitable, Callable
from functools import partial
from types import FrameType
from typing import Any, TypeVar

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from arplay import api
from arplay.core.signs import safe
from arplay.export.provenance import model as model_record
from arplay.serving.completions import MOST_TOKENS, TOO_MANY, Refused, asked, complete, tokenize

MOST_BYTES = 8 * 1024 * 1024
"""Of a request."""
MOST_WAITING = 64
"""Requests that wait for their turn; further ones are sent away."""
MOST_CONNECTIONS = 128
COMING_SECONDS = 30.0
"""So long a request may take to come: its head, and then its body."""
LOOK_SECONDS = 0.1
"""So often is looked whether whoever asked is still there."""
SERVED = "there are GET /v1/models, POST /v1/completions and POST /tokenize"

R = TypeVar("R")
Answer = Callable[["Desk", Request], Awaitable[JSONResponse]]


class Gone(Exception):  # noqa: N818 - no error
    """Whoever asked is no longer there."""


class Stop:
    """What a model reports its progress to: it raises Gone in the middle of a long text once the client has left.

    ``ended``: the server ends, and nobody is answered any more.
    """

    check: Callable[[], None] = staticmethod(lambda: None)
    ended = False

    def report(self, fraction: float | None, what: str) -> None:
        self.check()


class Desk:
    """The model, which one thread at a time uses: requests take turns, a prompt each, in the order of their coming."""

    def __init__(self, model: api.Model, stop: Stop) -> None:
        self.model, self._stop, self.since = model, stop, int(time.time())
        self._turn, self._waiting = asyncio.Lock(), 0

    async def run(self, request: Request, work: Callable[[Callable[[], None]], R]) -> R:
        """``work`` in its turn, in a thread. It is given what raises Gone once the client has left. Raises Refused.

        Who leaves while waiting gives its place in the queue back at once.
        """
        if self._waiting >= MOST_WAITING:
            raise Refused(429, "too many requests are waiting; ask again later")
        self._waiting += 1
        here = anyio.CancelScope()  # a thread that works is not cancelled by it: it looks at ``check``

        def check() -> None:
            if self._stop.ended:
                raise Refused(503, "the server ends; start it again")
            if here.cancel_called:
                raise Gone

        async def watch() -> None:
            while not await request.is_disconnected():
                await asyncio.sleep(LOOK_SECONDS)
            here.cancel()

        watcher = asyncio.create_task(watch())
        try:
            with here:
                async with self._turn:
                    check()
                    self._stop.check = check
                    answer: R = await anyio.to_thread.run_sync(partial(work, check))
                    return answer
            raise Gone
        finally:
            watcher.cancel()
            self._waiting -= 1


class Soon(H11Protocol):
    """A connection that is closed where the head of a request does not come soon, whatever else comes slowly."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect(None)

    def on_response_complete(self) -> None:
        former = self.cycle
        super().on_response_complete()
        self._expect(former)

    def _expect(self, former: object) -> None:
        def end() -> None:
            if self.cycle is former:
                self.transport.close()

        self.loop.call_later(COMING_SECONDS, end)


class Server(uvicorn.Server):
    """Once it is told to end, what is being computed ends as if its client had left."""

    def __init__(self, app: Starlette, stop: Stop) -> None:
        super().__init__(settings(app))
        self._stop = stop

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._stop.ended = True
        super().handle_exit(sig, frame)


def settings(app: Starlette) -> uvicorn.Config:
    """How the server listens; h11 wherever another parser is installed, too, as its limits are these."""
    return uvicorn.Config(
        app, http=Soon, log_level="warning", lifespan="off", access_log=False, ws="none",
        limit_concurrency=MOST_CONNECTIONS, timeout_keep_alive=5, timeout_graceful_shutdown=5,
        h11_max_incomplete_event_size=64 * 1024, server_header=False, proxy_headers=False,
    )  # fmt: skip


def application(model: api.Model, stop: Stop, key: str = "", hosts: tuple[str, ...] = ()) -> Starlette:
    """``stop``: what ``model`` was loaded with to report to; ``key``: what ``Authorization: Bearer`` has to say, "" for
    nothing; ``hosts``: names that it may be called by (none: any), so that no page of a browser reaches it under a name
    of its own.
    """
    desk = Desk(model, stop)

    def route(path: str, answer: Answer, method: str) -> Route:
        async def answered(request: Request) -> JSONResponse:
            try:
                admit(request, key, hosts)
                return await answer(desk, request)
            except (Gone, ClientDisconnect) as error:
                raise Refused(499, "the client left") from error

        return Route(path, answered, methods=[method])

    routes = [
        route("/v1/models", _models, "GET"),
        route("/v1/completions", _completions, "POST"),
        route("/tokenize", _tokenize, "POST"),
    ]
    return Starlette(
        routes=routes, exception_handlers={Refused: _refused, HTTPException: _refused, Exception: _refused}
    )


async def _refused(request: Request, error: Exception) -> JSONResponse:
    """Whatever goes wrong, in OpenAI's form."""
    if isinstance(error, Refused):
        status, message = error.status, str(error)
    elif isinstance(error, HTTPException):
        asked = f"{request.method} {request.url.path}"
        status, message = error.status_code, f"{safe(asked[:80])} is not served; {SERVED}"
    else:
        status, message = 500, f"unforeseen error ({type(error).__name__}); where the server runs it is told in full"
    kind = "invalid_request_error" if status < 500 else "server_error"
    return JSONResponse({"error": {"message": message, "type": kind, "param": None, "code": None}}, status)


def named(host: str) -> str:
    """What a Host header calls this machine, without its port.

    >>> named("LocalHost:8000"), named("[::1]:80"), named("[::1]")
    ('localhost', '::1', '::1')
    """
    name, _, port = host.rpartition(":")
    return (name if port.isdecimal() else host).removeprefix("[").removesuffix("]").lower()


def admit(request: Request, key: str, hosts: tuple[str, ...] = ()) -> None:
    """Raises Refused."""
    if hosts and named(request.headers.get("Host", "")) not in hosts:
        raise Refused(403, f"this server is not called so; ask it as {hosts[0]}")
    if not key and request.headers.get("Origin"):  # any page that is open on this machine could ask
        raise Refused(403, "pages of a browser are answered with a key only (--key-env)")
    said = request.headers.get("Authorization", "").encode("latin-1")  # its very bytes
    if key and not hmac.compare_digest(said, f"Bearer {key}".encode()):
        raise Refused(401, "the key is missing or another one")


async def _body(request: Request) -> Any:
    data = bytearray()
    try:
        async with asyncio.timeout(COMING_SECONDS):
            async for chunk in request.stream():
                data += chunk
                if len(data) > MOST_BYTES:
                    raise Refused(413, f"a request may have {MOST_BYTES >> 20} MiB")
    except TimeoutError as error:
        raise Refused(408, f"the request did not come within {COMING_SECONDS:g} seconds") from error
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "the body is no JSON") from error


async def _models(desk: Desk, request: Request) -> JSONResponse:
    info = desk.model.info
    one = {
        "id": info.name,
        "object": "model",
        "created": desk.since,
        "owned_by": "arplay",
        "max_model_len": info.context,
    }
    told = {key: value for key, value in model_record(info).items() if key != "source"}  # a path of this machine
    return JSONResponse({"object": "list", "data": [one | {"arplay": told}]})


async def _completions(desk: Desk, request: Request) -> JSONResponse:
    body = await _body(request)
    model, choices = desk.model, []
    for index, one in enumerate(asked(body, model.vocabulary)):
        choices.append(await desk.run(request, partial(complete, model, one, index)))
        if sum(len(choice["logprobs"]["tokens"]) for choice in choices if choice["logprobs"]) > MOST_TOKENS:
            raise Refused(400, TOO_MANY)
    read, drawn = sum(choice.pop("prompt_tokens") for choice in choices), sum(len(c["token_ids"]) for c in choices)
    return JSONResponse(
        {
            "id": f"cmpl-{time.time_ns():x}",
            "object": "text_completion",
            "created": int(time.time()),
            "model": model.info.name,
            "choices": choices,
            "usage": {"prompt_tokens": read, "completion_tokens": drawn, "total_tokens": read + drawn},
        }
    )


async def _tokenize(desk: Desk, request: Request) -> JSONResponse:
    body = await _body(request)
    return JSONResponse(await desk.run(request, lambda check: tokenize(desk.model, body)))
