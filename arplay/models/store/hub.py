"""Models of the Hugging Face hub: their names, and the ordinary cache in which they are kept.

A name is ``org/name``, ``org/name@revision`` (branch, tag or commit), or ``org/name/file.gguf[@revision]``. The cache
is the one that every other tool of the hub uses (``HF_HOME``), so what was downloaded by any of them is found:
``models--org--name/refs/BRANCH`` holds a commit, ``snapshots/COMMIT/FILE`` points to ``blobs/HASH``, and
``trees/COMMIT.json`` lists all files of the commit. Nothing here asks the network: that is models/store/hub_client.py,
which runs in a child process.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from arplay.core.errors import Problem
from arplay.models.store.cards import Card, read_card

_WORD = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9])?|[A-Za-z0-9]"
_NAME = re.compile(rf"({_WORD})/({_WORD})((?:/[\w.+ -]+)*/[\w.+ -]+\.gguf)?(?:@([A-Za-z0-9._/-]{{1,200}}))?")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_WANTED = re.compile(
    r"config\.json|generation_config\.json|model\.safetensors|model\.safetensors\.index\.json"
    r"|model-\d+-of-\d+\.safetensors"
    r"|(tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab)\.json|vocab\.txt|merges\.txt"
    r"|tokenizer\.model|spiece\.model|sentencepiece\.bpe\.model|README\.md|LICEN[CS]E(\.txt|\.md)?"
)
_TREE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Name:
    """A model of the hub. ``file`` is the GGUF file that is meant, "" for a transformers folder."""

    repository: str
    file: str = ""
    revision: str = ""

    def __str__(self) -> str:
        file, revision = f"/{self.file}" if self.file else "", f"@{self.revision}" if self.revision else ""
        return self.repository + file + revision

    @property
    def folder(self) -> Path:
        """Where the cache keeps all that there is of the repository."""
        return cache_folder() / f"models--{self.repository.replace('/', '--')}"


def parse(spec: str) -> Name | None:
    """The name that ``spec`` is, or None.

    >>> parse("org/name@main")
    Name(repository='org/name', file='', revision='main')
    """
    found = _NAME.fullmatch(spec)
    if found is None or ".." in spec or "--" in f"{found[1]}/{found[2]}" or "//" in spec:
        return None
    return Name(f"{found[1]}/{found[2]}", (found[3] or "").removeprefix("/"), found[4] or "")


def wanted(files: Iterable[str], name: Name) -> list[str]:
    """Those of a repository's ``files`` that the model is made of: safe weights, configuration, tokenizer, licence.

    Raises Problem where there are no weights that arplay opens.
    """
    there = set(files)
    if name.file:
        if name.file not in there:
            raise Problem(f"{name.repository} has no file {name.file}", _gguf_remedy(there, name))
        return [name.file]
    chosen = sorted(file for file in there if _WANTED.fullmatch(file))
    if "model.safetensors" in chosen:  # as transformers chooses: one file before shards
        return [file for file in chosen if not file.startswith(("model-", "model.safetensors.index"))]
    if any(file.startswith("model-") for file in chosen):
        return chosen
    if "adapter_config.json" in there:
        raise Problem(f"{name} is an adapter, only a change to another model", "get a model that it is merged into")
    if any(file.endswith(".gguf") for file in there):
        raise Problem(f"{name} holds GGUF files only", _gguf_remedy(there, name))
    if any(file.endswith((".bin", ".pt", ".pth", ".ckpt", ".pkl")) for file in there):
        raise Problem(
            f"{name} has its weights as pickle files only, which can run code", "choose a repository with safetensors"
        )
    raise Problem(f"{name} has no safetensors weights", "choose a repository that holds model.safetensors")


def _gguf_remedy(there: set[str], name: Name) -> str:
    files = sorted(file for file in there if file.endswith(".gguf"))
    if not files:
        return "look at its list of files for the right name"
    revision = f"@{name.revision}" if name.revision else ""
    some = ", ".join(f"{name.repository}/{file}{revision}" for file in files[:4])
    return f"name one of its files: {some}{' ...' if len(files) > 4 else ''}"


def cache_folder() -> Path:
    """The hub's cache, by the rules of huggingface_hub (a test compares them)."""
    home = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    home = os.environ.get("HF_HOME", os.path.join(home, "huggingface"))  # noqa: PTH118 - "~" is expanded below
    old = os.environ.get("HUGGINGFACE_HUB_CACHE", f"{home}/hub")
    return Path(os.path.expandvars(os.environ.get("HF_HUB_CACHE", old))).expanduser()


def snapshot(name: Name) -> tuple[Path, str] | None:
    """Where the model is in the cache and its exact commit; None if nothing of it is there."""
    revision = name.revision or "main"
    commit = revision if _COMMIT.fullmatch(revision) else _ref(name.folder, revision)
    if not commit and re.fullmatch(r"[0-9a-f]{7,39}", revision):
        begun = [path.name for path in _folders(name.folder / "snapshots") if path.name.startswith(revision)]
        commit = begun[0] if len(begun) == 1 else ""
    if not commit:
        return None
    path = name.folder / "snapshots" / commit / name.file
    return (path, commit) if path.exists() else None


def card(name: Name) -> Card | None:
    """The card of a model in the cache, complete or not; None if nothing of it is there."""
    known = Card(str(name), str(replace(name, revision="")), "from the hub", "downloaded", "ready", name.folder)
    found = snapshot(name)
    if found is None:  # perhaps a download that was stopped before its first file was complete
        return known.broken(_half(name, "no file of it is complete")) if _is_begun(name) else None
    path, commit = found
    known = replace(known, path=path, revision=commit)
    known = read_card(path, known)
    known = replace(known, problem=known.problem.replace(commit, str(name)))  # a folder is called by its name there
    missing = _missing(name, commit) if known.state == "ready" and not name.file else ""
    return known.broken(_half(name, f"{missing} is missing")) if missing else known


def downloaded() -> list[Card]:
    """Every model of the hub in the cache, the half downloaded ones as broken; no network."""
    return [found for name in _names() if (found := card(name)) is not None]


def spec_of(source: str) -> str | None:
    """The name of the model that was loaded from the cache's path ``source``; None if it is not from there."""
    try:
        repository, snapshots, commit, *file = Path(source).relative_to(cache_folder()).parts
    except ValueError:
        return None
    if snapshots != "snapshots" or not repository.startswith("models--"):
        return None
    folder = cache_folder() / repository
    revision = "" if _ref(folder, "main") == commit else commit
    return str(Name(_repository(folder), "/".join(file), revision))


def remove(name: Name) -> None:
    """Delete one downloaded revision, as huggingface_hub does it: files that other revisions share stay.

    A GGUF file is deleted alone where its repository holds others. Raises Problem if nothing of it is there.
    """
    found = snapshot(name)
    if found is None and _is_begun(name):
        shutil.rmtree(name.folder)
        return
    if found is None:
        raise Problem(f"{name} is not on this computer", "see `arplay models` for what is")
    from huggingface_hub import scan_cache_dir

    path, commit = found
    if name.file and len(list((name.folder / "snapshots" / commit).rglob("*.gguf"))) > 1:
        blob = path.resolve()
        path.unlink()
        if not any(other.resolve() == blob for other in (name.folder / "snapshots").rglob("*")):
            blob.unlink(missing_ok=True)
        return
    scan_cache_dir(cache_folder()).delete_revisions(commit).execute()
    (name.folder / "trees" / f"{commit}.json").unlink(missing_ok=True)


def named(problem: Problem, name: Name, commit: str) -> Problem:
    """What is wrong with a folder of the cache, which bears a commit's name, said of the model."""
    return Problem(problem.cause.replace(commit, str(name)), problem.remedy.replace(commit, str(name)))


def _names() -> Iterator[Name]:
    for folder in _folders(cache_folder()):
        repository = _repository(folder)
        if not folder.name.startswith("models--") or parse(repository) is None:
            continue
        main = _ref(folder, "main")
        if _is_begun(Name(repository)):
            yield Name(repository)
        for one in _folders(folder / "snapshots"):
            revision = "" if one.name == main else one.name
            files = sorted(file.relative_to(one).as_posix() for file in one.rglob("*.gguf"))
            yield from (Name(repository, file, revision) for file in files)
            if not files or (one / "config.json").exists():
                yield Name(repository, "", revision)


def _is_begun(name: Name) -> bool:
    """Whether all that there is of a repository are parts of a download that was stopped."""
    return not _folders(name.folder / "snapshots") and any((name.folder / "blobs").glob("*"))


def _repository(folder: Path) -> str:
    return folder.name.removeprefix("models--").replace("--", "/", 1)


def _folders(path: Path) -> list[Path]:
    try:
        return sorted(entry for entry in path.iterdir() if entry.is_dir())
    except OSError:
        return []


def _ref(folder: Path, revision: str) -> str:
    """The commit that a branch or tag stood for when it was downloaded, "" if that is not known."""
    try:
        with (folder / "refs" / revision).open(encoding="ascii") as file:
            commit = file.read(41).strip()
    except (OSError, ValueError):
        return ""
    return commit if _COMMIT.fullmatch(commit) else ""


def _missing(name: Name, commit: str) -> str:
    """The first file that the commit's own listing names and the snapshot lacks, "" if none or no listing is kept."""
    listing = name.folder / "trees" / f"{commit}.json"
    there = name.folder / "snapshots" / commit
    try:
        if listing.stat().st_size > _TREE_BYTES:
            return ""
        sizes = {file: int(about["size"]) for file, about in json.loads(listing.read_bytes())["files"].items()}
        return next((f for f in wanted(sizes, name) if not is_whole(there / f, sizes[f])), "")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, Problem):
        return ""  # made by a client that keeps no listing: what inspect() found is all that can be known


def is_whole(file: Path, size: int) -> bool:
    """Whether a file of the cache is there in full."""
    return file.is_file() and file.stat().st_size == size


def _half(name: Name, why: str) -> Problem:
    return Problem(f"its download is not complete ({why})", f"run: arplay models get {name}")
