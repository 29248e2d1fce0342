"""``arplay serve``: a model for other programs on this machine, by OpenAI's completions protocol."""

from __future__ import annotations

import argparse
import contextlib
import ipaddress
import os
import socket

from arplay.commands import given, options
from arplay.commands.console import note
from arplay.core.errors import Problem
from arplay.core.signs import safe

PORT = 8000


def configure(parser: argparse.ArgumentParser) -> None:
    options.add_model(parser)
    parser.add_argument("--port", type=_port, default=PORT, metavar="N", help=f"{PORT}; 0 is any that is free")
    far = "the address to listen at (127.0.0.1); another machine's needs --key-env"
    parser.add_argument("--host", default="127.0.0.1", metavar="H", help=far)
    key = "the environment variable with the key that each request has to bring (Authorization: Bearer KEY)"
    parser.add_argument("--key-env", metavar="NAME", help=key)


def run(args: argparse.Namespace) -> int:
    key, near = _key(args.key_env), _is_loopback(args.host)
    if not near and not key:
        raise options.UsageError(f"--host {safe(args.host)} lets other machines in: give --key-env NAME as well")
    try:
        from arplay.serving.server import Server, Stop, application
    except ImportError as error:
        raise Problem(f"the server's libraries are missing ({error.name})", "pip install 'arplay[serve]'") from error
    stop = Stop()
    model = given.model(args, stop.report)
    listening = _socket(args.host, args.port)
    host, port = listening.getsockname()[:2]
    at = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    names = ("127.0.0.1", "localhost", "::1", args.host) if near else ()
    note(f"{model.info.name} answers at {at}/v1 (models, completions; {at}/tokenize); Ctrl-C ends it")
    Server(application(model, stop, key, names), stop).run(sockets=[listening])
    return 0


def _port(text: str) -> int:
    """0 to 65,535 (an argparse type)."""
    if (port := options.count(text)) > 65_535:
        raise argparse.ArgumentTypeError(f"{text} is no port: the last one is 65535")
    return port


def _key(name: str | None) -> str:
    if name is None:
        return ""
    key = os.environ.get(name, "")
    if not key:
        raise Problem(f"the environment variable {safe(name)} is not set, or is empty", "put the key into it")
    return key


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _socket(host: str, port: int) -> socket.socket:
    """One that listens there. Raises Problem."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with contextlib.ExitStack() as undone:
            made = undone.enter_context(socket.socket(family, kind))
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind(address)
            made.listen()  # who reads that it answers may ask at once
            undone.pop_all()
            return made
    except (OSError, OverflowError) as error:
        cause = f"{safe(host)}:{port} cannot be listened at ({error})"
        raise Problem(cause, "choose another --port or --host") from error
