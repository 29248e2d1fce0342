"""A recipe for tests of the fetcher: a model of two files, from a wheel that the test makes.

With ``ARPLAY_TINY_HANG=FILE`` in the environment, preparing stops half-way: it writes half a model, then its process
id to FILE, and waits to be killed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from arplay.models.store.smollm2 import put_in_place

__all__ = ["put_in_place"]

PACKAGE = "arplay-tiny-model"
VERSION = "1.0"
DOWNLOAD_BYTES = 2_000_000
WORK_BYTES = 5_000_000
FILES = ("first", "second")


def is_ready(folder: Path) -> bool:
    return all((folder / file).is_file() for file in FILES)


def main(wheel: Path, folder: Path) -> None:
    folder.mkdir()
    (folder / "first").write_bytes(wheel.read_bytes())
    print(json.dumps({"fraction": 0.5, "what": "half of it"}), flush=True)
    if hang := os.environ.get("ARPLAY_TINY_HANG"):
        note = Path(hang + ".new")
        note.write_text(str(os.getpid()))
        note.rename(hang)
        signal.pause()
    (folder / "second").write_bytes(b"whole")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
