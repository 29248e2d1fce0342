"""`arplay` where no screen is: the distribution in the terminal and the whole window as a picture."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from PySide6.QtGui import QImage

HANG_GUARD = 120
SCREENS = ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY")


def without_screen(folder: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key not in SCREENS}
    command = [sys.executable, "-m", "arplay", *argv]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=HANG_GUARD, check=False
    )


def test_without_a_screen_the_first_view_is_printed_and_drawn(tmp_path: Path) -> None:
    said = without_screen(tmp_path, "--model", "abc", "--prompt", "BA")
    assert said.returncode == 0, said.stderr
    assert "No screen can be reached" in said.stdout
    assert "60.00%" in said.stdout
    picture = tmp_path / "arplay-window.png"
    assert str(picture) in said.stdout
    assert not QImage(str(picture)).isNull()


def test_without_a_screen_nobody_is_asked_about_an_encoding(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_bytes("ABé".encode("latin-1"))
    said = without_screen(tmp_path, "old.txt", "--model", "abc")
    assert said.returncode == 1
    assert "--encoding" in said.stderr
    assert list(tmp_path.glob("*.png")) == []


def test_a_picture_of_the_window_takes_the_settings_of_the_command(tmp_path: Path) -> None:
    def picture(*options: str) -> list[QImage]:
        out = tmp_path / "window.png"
        what = ("--prompt", "BAB", "--model", "abc", "--chart", "window", "--scale", "1")
        said = without_screen(tmp_path, "export", *what, "--out", str(out), *options)
        assert said.returncode == 0, said.stderr
        image = QImage(str(out))  # less the editor, whose cursor blinks, and the status bar, which tells milliseconds
        return [image.copy(890, 80, 390, 680), image.copy(0, 300, 890, 460)]

    plain = picture()
    assert plain == picture()  # negative control
    chart, below = picture("--first-token", "unscored", "--temperature", "0.5", "--top", "7")
    assert chart != plain[0] and below != plain[1]
