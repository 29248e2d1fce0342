"""Fetch a package by name and version with pip, npm or apt, and unpack it into the user's cache.

Every registry is reached through its ordinary client, so that the user's own index settings apply. A
folder appears under its final name only when it is complete.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from arplay.core.errors import Problem

WHEEL = ("--only-binary", ":all:")
"""Of other packages pip runs code to learn their name."""


def fetch(registry: str, package: str, version: str, cache: Path) -> Path:
    """The folder that holds the unpacked files of ``package`` at ``version``; fetched when it is not there.

    ``registry`` is "pip", "npm" or "apt". Raises Problem when the client is missing or fails.
    """
    folder = cache / f"{registry}-{package.strip('@').replace('/', '-')}-{version}"
    if folder.is_dir():
        return folder
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    download = partial / "download"
    download.mkdir(parents=True)
    commands = {
        "pip": [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *WHEEL, f"{package}=={version}"],
        "npm": ["npm", "pack", "--ignore-scripts", "--loglevel=error", "--fetch-retries=1", f"{package}@{version}"],
        "apt": ["apt-get", "download", "-qq", f"{package}={version}"],
    }
    if registry not in commands:
        raise Problem(f"unknown registry {registry!r} in the recipe", f"use one of {', '.join(commands)}")
    _run(commands[registry], download)
    (archive,) = download.iterdir()
    _unpack(archive, partial / "files")
    archive.unlink()
    download.rmdir()
    (partial / "files").rename(folder)
    partial.rmdir()
    return folder


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise Problem(f"{command[0]} is not installed", "install it, it fetches one of the texts") from error
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        reason = lines[-1] if lines else "no message"
        raise Problem(f"{' '.join(command)} failed: {reason}", "check the network and the package's version")


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack a wheel, an npm tarball or a Debian package; nothing is written outside ``folder``."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(folder)
    elif archive.suffix == ".tgz":
        with tarfile.open(archive) as tarball:
            tarball.extractall(folder, filter="data")
    elif archive.suffix == ".deb":
        _run(["dpkg-deb", "-x", str(archive), str(folder)], archive.parent)
    else:
        raise Problem(f"{archive.name} is no wheel, npm tarball or Debian package", "mend the recipe")
