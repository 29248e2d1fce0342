"""A small Hugging Face hub on 127.0.0.1, for the hub's real client: as obliging or as difficult as a test wants it.

By hand: ``python -m tests.loopback_hub FOLDER... [--port N] [--bytes-per-second N]`` serves each folder as the model
``local/NAME``; then ``HF_ENDPOINT=http://127.0.0.1:N HF_HOME=... arplay models get local/NAME``.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import http.server
import json
import re
import threading
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CHUNK = 16 * 1024


@dataclass
class Repository:
    """A model: its files at one commit, which every name in ``revisions`` stands for."""

    files: dict[str, bytes]
    licence: str = "apache-2.0"
    revisions: tuple[str, ...] = ("main",)
    gated: bool = False
    private: bool = False

    @property
    def commit(self) -> str:
        listed = "".join(f"{name}:{_sha256(content)}\n" for name, content in sorted(self.files.items()))
        return hashlib.sha1(listed.encode()).hexdigest()

    def entry(self, name: str) -> dict[str, Any]:
        """A file as the hub's API lists it."""
        content = self.files[name]
        about: dict[str, Any] = {"rfilename": name, "size": len(content), "blobId": _git_hash(content)}
        if _is_large(name):
            about["lfs"] = {"sha256": _sha256(content), "size": len(content), "pointerSize": 130}
        return about


@dataclass
class Trouble:
    """How the hub misbehaves.

    ``status`` answers every request; ``cut_after`` ends the transfer of a large file after so many bytes (as often as
    ``cuts``); ``damaged`` is a file that comes with one byte changed; ``gone`` one that is only listed.
    """

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int = 0
    cuts: int = 0
    damaged: str = ""
    gone: str = ""
    bytes_per_second: float = 0.0


class Hub(http.server.ThreadingHTTPServer):
    """``token``: the one that may read gated and private models. ``asked``: (method, path, Range) of every request."""

    daemon_threads = False

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.repositories: dict[str, Repository] = {}
        self.trouble = Trouble()
        self.token = "hf_right"
        self.asked: list[tuple[str, str, str]] = []
        self.sent = 0
        self.stopping = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def add(self, name: str, folder: Path, **about: Any) -> Repository:
        """Serve the files of ``folder`` as the model ``name``."""
        files = {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
        made = self.repositories[name] = Repository(files, **about)
        return made

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is no error here."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, format: str, *arguments: object) -> None: ...

    def _answer(self) -> None:
        hub, path = self.server, urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        hub.asked.append((self.command, path, self.headers.get("Range", "")))
        if hub.trouble.status:
            self._refuse(hub.trouble.status, **hub.trouble.headers)
        elif found := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/(.+?)|/(auth-check)|/tree/(.+))?", path):
            self._api(*found.groups())
        elif found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self._file(*found.groups())
        else:
            self._refuse(404)

    def _api(self, name: str, revision: str | None, check: str | None, tree: str | None) -> None:
        repository = self._repository(name, revision or tree, files=bool(check))
        if repository is None:
            return
        entries = [repository.entry(file) for file in sorted(repository.files)]
        if check:
            self._say({})
        elif tree:
            listed = [{"type": "file", "path": e["rfilename"], "size": e["size"], "oid": e["blobId"]} for e in entries]
            for one, entry in zip(listed, entries, strict=True):
                if "lfs" in entry:
                    one["lfs"] = {"oid": entry["lfs"]["sha256"], "size": entry["size"], "pointerSize": 130}
            self._say(listed)
        else:
            self._say(
                {
                    "id": name,
                    "modelId": name,
                    "sha": repository.commit,
                    "gated": "manual" if repository.gated else False,
                    "private": repository.private,
                    "siblings": entries,
                    "cardData": {"license": repository.licence},
                    "tags": [f"license:{repository.licence}"],
                    "safetensors": _parameters(repository.files),
                }
            )

    def _repository(self, name: str, revision: str | None, files: bool) -> Repository | None:
        """The model that is asked for, if this client may see it; else the refusal is sent."""
        repository, token = self.server.repositories.get(name), self.headers.get("Authorization", "")
        right = token == f"Bearer {self.server.token}"
        if token and not right and token != "Bearer hf_other":  # the token of somebody without access
            self._refuse(401, X_Error_Message="Invalid credentials in Authorization header")
        elif repository is None or (repository.private and not right):
            self._refuse(404 if token else 401, X_Error_Code="RepoNotFound", X_Error_Message="Repository not found")
        elif files and repository.gated and not right:
            self._refuse(403 if token else 401, X_Error_Code="GatedRepo", X_Error_Message=f"Access to {name} is gated")
        elif revision and revision not in (*repository.revisions, repository.commit):
            self._refuse(404, X_Error_Code="RevisionNotFound", X_Error_Message="Invalid rev id")
        else:
            return repository
        return None

    def _file(self, name: str, revision: str, file: str) -> None:
        repository, trouble = self._repository(name, revision, files=True), self.server.trouble
        if repository is None:
            return
        if file not in repository.files or file == trouble.gone:
            self._refuse(404, X_Error_Code="EntryNotFound", X_Error_Message="Entry not found")
            return
        content = repository.files[file]
        hash = _sha256(content) if _is_large(file) else _git_hash(content)
        if file == trouble.damaged:
            content = content[:-1] + bytes([content[-1] ^ 1])
        begun = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(begun[1]) if begun else 0
        self.send_response(206 if begun else 200)
        self.send_header("ETag", f'"{hash}"')
        self.send_header("X-Repo-Commit", repository.commit)
        self.send_header("Accept-Ranges", "bytes")
        if begun:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        if self.command == "GET":
            self._send(content[start:], large=_is_large(file))

    def _send(self, content: bytes, large: bool) -> None:
        hub, began = self.server, time.monotonic()
        limit = hub.trouble.cut_after if large and hub.trouble.cuts else 0
        for at in range(0, len(content), CHUNK):
            if limit and at >= limit:
                hub.trouble.cuts -= 1
                break
            self.wfile.write(content[at : at + CHUNK])
            hub.sent += len(content[at : at + CHUNK])
            if large and hub.trouble.bytes_per_second:
                behind = (at + CHUNK) / hub.trouble.bytes_per_second - (time.monotonic() - began)
                if hub.stopping.wait(max(0.0, behind)):
                    break
        else:
            return
        self.close_connection = True

    def _say(self, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def _refuse(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.send_header("Content-Length", "0")
        self.end_headers()


@contextlib.contextmanager
def serving(folders: Mapping[str, Path] = {}, port: int = 0) -> Iterator[Hub]:
    """A hub that serves each folder under its name, until the block ends."""
    with Hub(port) as hub:
        for name, folder in folders.items():
            hub.add(name, folder)
        thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield hub
        finally:
            hub.stopping.set()
            hub.shutdown()
            thread.join()


def environment(hub: Hub, home: Path) -> dict[str, str]:
    """What points the hub's client at ``hub``, with its cache in ``home``."""
    return {"HF_ENDPOINT": hub.url, "HF_HOME": str(home), "NO_PROXY": "127.0.0.1"}


def _is_large(name: str) -> bool:
    return name.endswith((".safetensors", ".gguf", ".bin"))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _git_hash(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _parameters(files: Mapping[str, bytes]) -> dict[str, Any] | None:
    """Weights by number type, as the hub counts them."""
    count: dict[str, int] = {}
    for name, content in files.items():
        if name.endswith(".safetensors"):
            header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
            for tensor in (header[key] for key in header if key != "__metadata__"):
                elements = 1
                for n in tensor["shape"]:
                    elements *= n
                count[tensor["dtype"]] = count.get(tensor["dtype"], 0) + elements
    return {"parameters": count, "total": sum(count.values())} if count else None


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.loopback_hub")
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--bytes-per-second", type=float, default=0.0)
    args = parser.parse_args()
    with serving({f"local/{folder.resolve().name}": folder for folder in args.folders}, args.port) as hub:
        hub.trouble.bytes_per_second = args.bytes_per_second
        print(f"HF_ENDPOINT={hub.url}  {' '.join(hub.repositories)}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
