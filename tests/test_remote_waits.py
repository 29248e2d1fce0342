"""How long, and how much, is waited for from a server: limits of size and time, and the ways to end it."""

from __future__ import annotations

import json
import socket
import threading
import time
from typing import Any

import pytest

import arplay
from arplay.core import waits
from arplay.core.errors import Problem
from arplay.models.families.remote import http as remote_http
from tests.loopback_completions import Loopback
from tests.test_remote import no_key, openai

__all__ = ["no_key", "openai"]


def test_an_answer_is_read_up_to_a_limit(openai: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_http, "MOST_BYTES", 100_000)
    openai.change = lambda path, answer: b" " * 1_000_000 + json.dumps(answer).encode()
    with pytest.raises(Problem, match="answers with more than"):
        arplay.load(openai.url())


@pytest.mark.parametrize("how", ["silent", "header", "body"])
def test_a_slow_answer_ends_in_time_however_it_trickles(
    openai: Loopback, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    over = threading.Event()

    def slow(handler: Any) -> None:
        if how == "header":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        elif how == "body":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not over.wait(0.02):
            if how != "silent":
                handler.wfile.write(b" ")

    monkeypatch.setattr(remote_http, "ANSWER_SECONDS", 0.3)
    openai.change = lambda path, answer: slow
    try:
        with pytest.raises(Problem, match="did not answer within"):
            arplay.load(openai.url())
    finally:
        over.set()


def test_another_thread_ends_the_wait_at_once(openai: Loopback) -> None:
    asked = threading.Event()

    def silent(handler: Any) -> None:
        asked.set()
        handler.connection.settimeout(30)
        assert handler.connection.recv(1) == b"", "whoever asked goes away"

    openai.change = lambda path, answer: silent
    here = threading.get_ident()

    def interrupt() -> None:
        asked.wait(30)
        waits.interrupt(here, False)

    other = threading.Thread(target=interrupt)
    other.start()
    began = time.monotonic()
    try:
        with pytest.raises(waits.Interrupted):
            arplay.load(openai.url())
        with pytest.raises(waits.Interrupted):  # nor does another question begin, until somebody says so
            arplay.load(openai.url())
    finally:
        waits.go_on()
        other.join()
    assert time.monotonic() - began < 25, "a guard against a hang"


def test_nothing_is_asked_of_a_server_that_is_found_too_late(openai: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    find = socket.getaddrinfo

    def slow(*place: Any, **others: Any) -> Any:
        waits.interrupt(threading.get_ident(), False)  # by another thread, while this one waits for a name
        return find(*place, **others)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    try:
        with pytest.raises(waits.Interrupted):
            arplay.load(openai.url())
    finally:
        waits.go_on()
    assert not openai.asked
