"""What a hub says of one model, asked with the hub's own client before anything is downloaded (in a child process)."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import GatedRepoError

from arplay.core.errors import Problem
from arplay.models import families
from arplay.models.hf import library
from arplay.models.hf.skeleton import refuse_foreign
from arplay.models.store import folder, hub, hub_problems
from arplay.models.store.cards import Card
from arplay.models.store.context import context_of
from arplay.models.store.hub import Name

_STORED = {"F64": "float64", "F32": "float32", "BF16": "bfloat16", "F16": "float16"}
_COMMIT = re.compile(r"[0-9a-f]{40}")
_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class File:
    """A file as the hub lists it: ``hash`` is its sha256, or git's sha1 for a small one that is kept in git itself."""

    name: str
    size: int
    hash: str


@dataclass(frozen=True, slots=True)
class Listing:
    """A model at one commit: its files, and all that the hub says of it (:class:`huggingface_hub.ModelInfo`).

    ``no_access``: why the files of a gated model cannot be had; its configuration is not known then.
    """

    name: Name
    commit: str
    files: tuple[File, ...]
    info: Any
    config: dict[str, Any]
    no_access: Problem | None

    @property
    def snapshot(self) -> Path:
        return self.name.folder / "snapshots" / self.commit

    def missing(self) -> list[File]:
        """The files that are not yet in the cache under this commit."""
        return [file for file in self.files if not hub.is_whole(self.snapshot / file.name, file.size)]

    def begun(self, file: File) -> int:
        """Bytes of a missing file that need not be downloaded again."""
        blob = self.name.folder / "blobs" / file.hash
        for place in (blob, blob.with_name(f"{file.hash}.incomplete")):
            if place.exists():
                return min(place.stat().st_size, file.size)
        return 0


def ask(name: Name) -> Listing:
    """The model's files and configuration. Raises Problem for one that arplay would not open."""
    info = HfApi().model_info(name.repository, revision=name.revision or None, files_metadata=True)
    listed = {file.rfilename: _file(file) for file in info.siblings or []}
    files = tuple(listed[file] for file in hub.wanted(listed, name))
    commit = str(info.sha)
    if not _COMMIT.fullmatch(commit):  # it becomes the name of a folder
        raise Problem(f"the hub names no commit of {name}", "check HF_ENDPOINT")
    listing = Listing(name, commit, files, info, {}, _no_access(name) if info.gated else None)
    return listing if name.file or listing.no_access else replace(listing, config=_config(listing))


def describe(name: Name) -> Card:
    """The model's card; nothing is put into the cache."""
    listing = ask(name)
    missing, info = listing.missing(), listing.info
    parameters = info.safetensors.parameters if info.safetensors else {}
    about = info.gguf or {}
    file = families.of_file(Path(name.file)) if name.file else None
    return Card(
        spec=str(name),
        kind=(file or families.of_type(listing.config.get("model_type", ""))).name,
        title=str(replace(name, revision="")),
        about="from the hub",
        origin="downloaded",
        state="fetch" if missing else "ready",
        problem=str(listing.no_access or ""),
        path=listing.snapshot / name.file,
        licence=_licence(info),
        family=str(listing.config.get("model_type") or about.get("architecture") or ""),
        parameters=sum(parameters.values()) or about.get("total"),
        disk_bytes=sum(file.size for file in listing.files),
        download_bytes=sum(file.size - listing.begun(file) for file in missing),
        context=context_of(listing.config) or about.get("context_length"),
        stored_dtype=_STORED.get(max(parameters, key=parameters.__getitem__, default=""), ""),
        revision=listing.commit,
    )


def _file(sibling: Any) -> File:
    found = File(sibling.rfilename, sibling.size or 0, (sibling.lfs.sha256 if sibling.lfs else sibling.blob_id) or "")
    return found if _HASH.fullmatch(found.hash) else replace(found, hash="0" * 40)  # matches no file: refused later


def _config(listing: Listing) -> dict[str, Any]:
    """config.json, brought into a passing folder and checked there, so that nothing is downloaded in vain."""
    sizes = {file.name: file.size for file in listing.files}
    if sizes.get("config.json", 0) > folder.MAX_CONFIG_BYTES:
        raise Problem(f"config.json of {listing.name} is larger than 1 MiB", "choose another model")
    if "config.json" not in sizes:
        raise Problem(f"{listing.name} has no config.json", "choose a model in the form of transformers")
    with tempfile.TemporaryDirectory() as passing:
        place = listing.name.repository, "config.json"
        path = Path(hf_hub_download(*place, revision=listing.commit, cache_dir=passing))
        try:
            config = folder.configuration(path.parent, causal=False)
            if not families.of_type(config["model_type"]).model_type:
                folder.refuse_what_is_not_causal(path.parent, config)
            if folder.names_code(config):  # rare, and worth the seconds that transformers takes to import
                refuse_foreign(library.quiet(), path.parent.name, config["model_type"])
            return config
        except Problem as problem:
            raise hub.named(problem, listing.name, listing.commit) from problem


def _no_access(name: Name) -> Problem | None:
    try:
        HfApi().auth_check(name.repository)
    except GatedRepoError as error:
        return hub_problems.why(error, name)
    return None


def _licence(info: Any) -> str:
    said = (info.card_data or {}).get("license")
    if said == "other":
        said = info.card_data.get("license_name") or said
    return ", ".join(map(str, said)) if isinstance(said, list) else str(said or "")
