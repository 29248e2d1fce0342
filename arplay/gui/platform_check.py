"""Which screen is there, and do the system libraries exist that Qt needs for it?

Qt aborts the process where a library or the screen itself is missing; asking the dynamic loader first turns that
into a sentence. Pure ctypes: nothing here imports Qt. On macOS and Windows there is nothing to ask.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Iterable, Mapping

from arplay.core.errors import Problem

Loads = Callable[[str], object]

# library -> (Debian/Ubuntu package, Fedora package)
ALWAYS = {
    "libGL.so.1": ("libgl1", "libglvnd-glx"),
    "libEGL.so.1": ("libegl1", "libglvnd-egl"),
    "libX11.so.6": ("libx11-6", "libX11"),
    "libxkbcommon.so.0": ("libxkbcommon0", "libxkbcommon"),
    "libdbus-1.so.3": ("libdbus-1-3", "dbus-libs"),
    "libfontconfig.so.1": ("libfontconfig1", "fontconfig"),
    "libfreetype.so.6": ("libfreetype6", "freetype"),
    "libglib-2.0.so.0": ("libglib2.0-0", "glib2"),
}
XCB = {
    "libxcb.so.1": ("libxcb1", "libxcb"),
    "libX11-xcb.so.1": ("libx11-xcb1", "libX11-xcb"),
    "libxcb-cursor.so.0": ("libxcb-cursor0", "xcb-util-cursor"),
    "libxcb-icccm.so.4": ("libxcb-icccm4", "xcb-util-wm"),
    "libxcb-image.so.0": ("libxcb-image0", "xcb-util-image"),
    "libxcb-keysyms.so.1": ("libxcb-keysyms1", "xcb-util-keysyms"),
    "libxcb-randr.so.0": ("libxcb-randr0", "libxcb"),
    "libxcb-render-util.so.0": ("libxcb-render-util0", "xcb-util-renderutil"),
    "libxcb-shape.so.0": ("libxcb-shape0", "libxcb"),
    "libxcb-util.so.1": ("libxcb-util1", "xcb-util"),
    "libxcb-xkb.so.1": ("libxcb-xkb1", "libxcb"),
    "libxkbcommon-x11.so.0": ("libxkbcommon-x11-0", "libxkbcommon-x11"),
}
WAYLAND = {
    "libwayland-client.so.0": ("libwayland-client0", "libwayland-client"),
    "libwayland-cursor.so.0": ("libwayland-cursor0", "libwayland-cursor"),
}
PACKAGES = ALWAYS | XCB | WAYLAND


def platform(environment: Mapping[str, str] = os.environ) -> str | None:
    """The Qt platform that a window would get, or None where no screen can be reached.

    ``QT_QPA_PLATFORM`` decides if it is set; else the Wayland or X server that answers.
    """
    if asked := environment.get("QT_QPA_PLATFORM"):
        return asked.split(";")[0].split(":")[0]
    if sys.platform != "linux":
        return {"darwin": "cocoa", "win32": "windows"}.get(sys.platform, "xcb")
    if environment.get("WAYLAND_DISPLAY") and _answers("libwayland-client.so.0", _wayland_answers):
        return "wayland"
    if environment.get("DISPLAY") and _answers("libxcb.so.1", _x_answers):
        return "xcb"
    return None


def missing(platform: str, loads: Loads = ctypes.CDLL) -> list[str]:
    """System libraries that Qt needs for ``platform`` and the loader does not find, all of them at once."""
    if sys.platform != "linux":
        return []
    needed = ALWAYS | {"xcb": XCB, "wayland": WAYLAND}.get(platform, {})
    return [name for name in needed if not _found(name, loads)]


def packages(libraries: Iterable[str]) -> tuple[list[str], list[str]]:
    """The Debian and the Fedora packages that hold ``libraries``, each once, unknown libraries left out."""
    known = [PACKAGES[name] for name in libraries if name in PACKAGES]
    return list(dict.fromkeys(debian for debian, _ in known)), list(dict.fromkeys(fedora for _, fedora in known))


def problem(libraries: list[str]) -> Problem:
    """What to tell a user whose system lacks ``libraries``."""
    debian, fedora = packages(libraries)
    cause = f"the window needs system libraries that are missing: {', '.join(libraries)}"
    if not debian:
        return Problem(cause, "install the package of your system that has them")
    return Problem(
        cause, f"on Debian/Ubuntu: apt install {' '.join(debian)}; on Fedora: dnf install {' '.join(fedora)}"
    )


def check(platform: str) -> None:
    """Raise Problem where Qt would abort on ``platform`` for want of a library."""
    if lacking := missing(platform):
        raise problem(lacking)


def _found(name: str, loads: Loads) -> bool:
    try:
        loads(name)
    except OSError:
        return False
    return True


def _answers(library: str, asks: Callable[[ctypes.CDLL], bool]) -> bool:
    """Whether the server answers; where its library is missing it counts as there, and the library is reported."""
    try:
        return asks(ctypes.CDLL(library))
    except OSError:
        return True


def _x_answers(xcb: ctypes.CDLL) -> bool:
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.POINTER(ctypes.c_int)]
    xcb.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
    xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(None, None)
    failed: int = xcb.xcb_connection_has_error(connection)
    xcb.xcb_disconnect(connection)
    return failed == 0


def _wayland_answers(wayland: ctypes.CDLL) -> bool:
    wayland.wl_display_connect.restype = ctypes.c_void_p
    wayland.wl_display_connect.argtypes = [ctypes.c_char_p]
    wayland.wl_display_disconnect.argtypes = [ctypes.c_void_p]
    display = wayland.wl_display_connect(None)
    if not display:
        return False
    wayland.wl_display_disconnect(display)
    return True
