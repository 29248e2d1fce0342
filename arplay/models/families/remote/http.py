"""JSON over HTTP with one server: the host that the user typed and no other, for so long, of so many bytes.

Python's own client is used, since it follows no redirects, reads no proxies from the environment and lets its socket be
shut from another thread, which is how a question is cancelled.
"""

from __future__ import annotations

import http.client
import io
import json
import os
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from arplay.core import waits
from arplay.core.errors import Problem
from arplay.core.signs import safe

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

KEY = "ARPLAY_API_KEY"
"""The environment variable with the key of the server. It is read at each question, and kept nowhere."""
CONNECT_SECONDS, ANSWER_SECONDS = 10.0, 300.0
MOST_BYTES = 64 * 1024 * 1024
"""The longest answer that is read."""
_CHUNK = 1 << 16
_SAID = 200
"""How many characters of what a server says are shown."""


class Refused(Problem):
    """The server answered, but not with what was asked for. ``status`` is HTTP's."""

    def __init__(self, cause: str, remedy: str, status: int) -> None:
        super().__init__(cause, remedy)
        self.status = status


@dataclass(frozen=True, slots=True)
class Address:
    """Where a model is served: ``http://127.0.0.1:8000/v1#name``; ``model`` is "" where the address names none."""

    scheme: str
    host: str
    port: int
    path: str
    model: str

    @property
    def base(self) -> str:
        """The address without the model."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"http": 80, "https": 443}[self.scheme]
        return f"{self.scheme}://{host}{'' if self.port == usual else f':{self.port}'}{self.path}"


def parse(spec: str) -> Address:
    """The parts of an address. Raises Problem where it is none, or holds what must not be kept (a password, a key).

    >>> parse("https://gpu.example/v1#org/name").model
    'org/name'
    """
    shown = safe(spec.partition("://")[2].rpartition("@")[2].partition("?")[0])[:80]
    remedy = "give one like http://127.0.0.1:8000/v1#name"
    if not spec.isprintable():  # urlsplit would leave a line's end out
        raise Problem(f"{shown} is no address of a server", remedy)
    try:
        parts = urlsplit(spec)
        port = parts.port
    except ValueError as error:
        raise Problem(f"{shown} is no address of a server", remedy) from error
    if parts.username is not None or parts.password is not None or parts.query:
        raise Problem(f"the address of {shown} holds a name, a password or a question", f"{remedy}, and a key in {KEY}")
    host = parts.hostname or ""
    if not re.fullmatch(r"[a-z0-9._:-]+", host) or not re.fullmatch(r"[!-~]*", parts.path) or port == 0:
        raise Problem(f"{shown} is no address of a server", remedy)
    scheme = parts.scheme.lower()
    model = parts.fragment
    if len(model) > 400:
        raise Problem(f"{safe(model[:80])} is no name of a model", remedy)
    return Address(scheme, host, port or {"http": 80, "https": 443}[scheme], parts.path.rstrip("/"), model)


def ask(address: Address, path: str, body: object | None = None) -> Any:
    """What the server says at ``path`` (from its root), as Python values; ``body`` is sent as JSON, None asks by GET.

    Raises Problem where there is no server, it takes too long, says too much, or no JSON; Refused where it refuses;
    and Interrupted where another thread asked for that.
    """
    where = f"{address.host}:{address.port}"
    deadline = time.monotonic() + ANSWER_SECONDS
    key = os.environ.get(KEY, "")
    headers = {"Accept": "application/json", "Accept-Encoding": "identity", "Connection": "close"}
    if key:
        if not re.fullmatch(r"[!-~]{1,4096}", key):
            raise Problem(f"{KEY} holds no key (spaces, or signs beyond ASCII)", "set it again, without a line's end")
        headers["Authorization"] = f"Bearer {key}"
    data = None if body is None else json.dumps(body).encode()
    if data is not None:
        headers["Content-Type"] = "application/json"
    with _interruptible(where) as held:
        try:
            wire = _connect(address, deadline, held)
            if waits.is_interrupted():  # while there was no socket to shut: the name was looked up, TLS was agreed on
                raise waits.Interrupted(f"the question to {where}", lost=False)
            connection = http.client.HTTPConnection(address.host, address.port)
            connection.sock = wire
            connection.request("GET" if body is None else "POST", path, data, headers)
            answer = connection.getresponse()
            told = _read(answer, where)
        except TimeoutError as error:
            cause = f"{where} did not answer within {ANSWER_SECONDS:.0f} seconds"
            raise Problem(cause, "ask again, or look whether the server is busy") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Problem(f"{where} broke off ({_why(error)})", "check the address, and whether it runs") from error
    if answer.status != 200:
        raise _refused(answer, told, where, path, key)
    try:
        return json.loads(told)
    except (ValueError, RecursionError) as error:
        raise Problem(f"what {where} answered is no JSON", "check the address; it often ends in /v1") from error


@contextmanager
def _interruptible(where: str) -> Iterator[list[socket.socket]]:
    """Sockets put into the list are shut where another thread ends the wait, and closed in the end."""
    held: list[socket.socket] = []
    ended = waits.is_interrupted()

    def end(force: bool) -> None:
        nonlocal ended
        ended = True
        for sock in tuple(held):
            with suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)  # that of TLS would drop its state under the reader

    if ended:
        raise waits.Interrupted(f"the question to {where}", lost=False)
    try:
        with waits.ended_by(end):
            yield held
    except Problem:
        if not ended:
            raise
    finally:
        for sock in held:
            sock.close()
    if ended:
        raise waits.Interrupted(f"the question to {where}", lost=False)


def _connect(address: Address, deadline: float, held: list[socket.socket]) -> _Wire:
    where = f"{address.host}:{address.port}"
    problem: OSError | None = None
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Problem(f"there is no host {address.host}", "check the address and the network") from error
    for family, kind, protocol, _, place in found:
        sock = socket.socket(family, kind, protocol)
        held.append(sock)
        sock.settimeout(CONNECT_SECONDS)
        try:
            sock.connect(place)
            if address.scheme == "https":
                import ssl

                held.remove(sock)
                sock = ssl.create_default_context().wrap_socket(sock, server_hostname=address.host)
                held.append(sock)
            return _Wire(sock, deadline)
        except OSError as error:
            problem = error
    raise Problem(f"no server answers at {where} ({_why(problem)})", "start it, or check the address") from problem


class _Wire:
    """A connected socket with one deadline for all that is done with it, as far as http.client uses sockets."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock, self._deadline = sock, deadline

    def sendall(self, data: bytes) -> None:
        self.ready().sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Incoming(self))

    def close(self) -> None:
        """The client would close it before the answer is read."""

    def ready(self) -> socket.socket:
        """The socket, which waits no longer than there is time. Raises TimeoutError."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        return self._sock


class _Incoming(io.RawIOBase):
    def __init__(self, wire: _Wire) -> None:
        self._wire = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        return self._wire.ready().recv_into(buffer)


def _read(answer: http.client.HTTPResponse, where: str) -> bytes:
    if answer.getheader("Content-Encoding", "identity") != "identity":
        raise Problem(f"{where} packs its answers, which was not asked for", "switch that off there")
    parts, size = [], 0
    while chunk := answer.read(_CHUNK):
        parts.append(chunk)
        size += len(chunk)
        if size > MOST_BYTES:
            raise Problem(f"{where} answers with more than {MOST_BYTES >> 20} MiB", "give a shorter text")
    return b"".join(parts)


def _refused(answer: http.client.HTTPResponse, told: bytes, where: str, path: str, key: str) -> Problem:
    status = answer.status
    said = _said(told, key)
    if 300 <= status < 400:
        to = safe(answer.getheader("Location") or "another address")[:_SAID]
        return Refused(f"{where} sends on to {to}, where nobody goes", "give that address if you trust it", status)
    if status in (401, 403):
        what = f"does not take the key in {KEY}" if key else "wants a key"
        return Refused(f"{where} {what}{said and f' ({said})'}", f"set {KEY} to the server's key", status)
    if status == 404:
        cause = f"{where} has no {path}{said and f' ({said})'}"
        return Refused(cause, "check the address; it often ends in /v1", status)
    remedy = "ask again later" if status == 429 or status >= 500 else "change what is asked for, or use another server"
    return Refused(f"{where} refuses ({status}{said and f': {said}'})", remedy, status)


def _said(told: bytes, key: str) -> str:
    """The sentence in the answer of a server that refuses, safe to show; no part of the key is in it."""
    text = told[:_CHUNK].decode("utf-8", "replace")
    with suppress(ValueError, RecursionError):
        said = json.loads(text)
        for name in ("error", "message", "detail"):
            said = said.get(name, said) if isinstance(said, dict) else said
        text = said if isinstance(said, str) else json.dumps(said)
    text = " ".join(text.split())
    return safe(text.replace(key, "•••") if key else text)[:_SAID]


def _why(error: BaseException | None) -> str:
    return safe(getattr(error, "strerror", None) or str(error) or type(error).__name__)[:_SAID]


def has_key() -> bool:
    """Whether a key would be sent."""
    return bool(os.environ.get(KEY))


def is_loopback(address: Address) -> bool:
    """Whether the server is on this computer by its name."""
    return address.host in ("localhost", "::1") or address.host.startswith("127.")
