"""An error in a method that Qt calls is told like any other, and Qt goes on.

Qt calls the methods that a class of ours overrides: to paint, to ask for a size, to hand on an event. PySide gives an
error there to the next Python frame below, which may be a method that has nothing to do with it, and until Python 3.12
ends the process over an error that C raised (a division by zero). So no error leaves such a method: it is given to
``sys.excepthook``, once for a place in the code, and Qt gets an answer that does no harm.
"""

from __future__ import annotations

import functools
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType, MethodDescriptorType
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget
from shiboken6 import Shiboken

NOT_DRAWN = "This could not be drawn. The message above the text says why; all else goes on."
_PLAIN = ("paintEvent", "paint", "initStyleOption")
"""What Qt draws plainly where we fail."""
_OF_A_SCENE = ("paint", "boundingRect", "shape", "itemChange", "sizeHint", "event", "eventFilter")
"""What Qt calls of the plots' library; others of its methods only have the names of Qt's."""

Method = Callable[..., Any]


def guard() -> None:
    """Guard every class on Qt's that there is, and each that is made from now on."""
    setattr(Shiboken.Object, "__init_subclass__", classmethod(_guard))  # noqa: B010 - mypy would not have it assigned
    for known in _below(Shiboken.Object):
        if not _is_qt(known):
            _guard(known)


@contextmanager
def raised() -> Iterator[None]:
    """Where no window tells errors: the first that Qt's calls met in here is raised at the end."""
    errors: list[BaseException] = []
    former, sys.excepthook = sys.excepthook, lambda kind, error, trace: errors.append(error)
    try:
        yield
    finally:
        sys.excepthook = former
    if errors:
        raise errors[0]


def overridden(kind: type) -> dict[str, FunctionType]:
    """The Python methods of ``kind``, or of what it is made of, that Qt calls in place of its own."""
    qt = [base for base in kind.__mro__ if _is_qt(base)]
    found: dict[str, FunctionType] = {}
    for base in kind.__mro__:
        for name, method in vars(base).items():
            if name in found or not isinstance(method, FunctionType) or not _is_called(name, method):
                continue
            if any(isinstance(vars(each).get(name), MethodDescriptorType) for each in qt):
                found[name] = method
    return found


def _is_called(name: str, method: FunctionType) -> bool:
    ours = method.__module__.startswith("arplay.") and not name.startswith("__")
    return ours or name.endswith("Event") or name in _OF_A_SCENE


_guarded_kinds: WeakSet[type] = WeakSet()


def _guard(kind: type) -> None:
    if kind in _guarded_kinds:
        return
    _guarded_kinds.add(kind)
    for name, method in overridden(kind).items():
        if not hasattr(method, "of_qt"):
            setattr(kind, name, _guarded(name, method, next(q for q in kind.__mro__ if _is_qt(q) and name in vars(q))))


def _guarded(name: str, method: Method, qt: type) -> Method:
    @functools.wraps(method)
    def call(self: Any, *args: Any, **named: Any) -> Any:
        try:
            return method(self, *args, **named)
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - it is told
            _tell(name, error)
            return _instead(self, name, qt, args)

    call.of_qt = qt  # type: ignore[attr-defined]
    return call


_told: WeakKeyDictionary[Any, set[tuple[object, ...]]] = WeakKeyDictionary()


def _tell(name: str, error: BaseException) -> None:
    """Once for whoever listens and a place in the code: what fails is painted again and again."""
    place = (name, type(error), *traceback.extract_tb(error.__traceback__)[-1][:2])
    told = _told.setdefault(sys.excepthook, set())
    if place not in told:
        told.add(place)
        try:
            sys.excepthook(type(error), error, error.__traceback__)
        except Exception:  # noqa: BLE001 - nothing is left but Python's own words
            sys.__excepthook__(*sys.exc_info())
    traceback.clear_frames(error.__traceback__)  # a painter that is left in one of them would go on painting


def _instead(self: Any, name: str, qt: type, args: tuple[Any, ...]) -> Any:
    """What Qt itself would paint or answer; a sentence where it paints nothing; nothing that would happen twice."""
    if name == "paintEvent" and qt in (QWidget, QFrame, QAbstractScrollArea):
        return _say(self)
    method = getattr(qt, name)
    returns = _returns(method)
    if returns in (None, bool) and name not in _PLAIN:
        return None if returns is None else False
    try:
        return method(self, *args)
    except Exception:  # noqa: BLE001 - the error that was told is the one that counts; Qt may have no answer at all
        return 0 if returns is int else None


def _returns(method: Method) -> Any:
    """What Qt declares that its method returns."""
    # takes a tenth of a second, where something failed only
    from PySide6.support.signature import get_signature  # type: ignore[import-not-found]

    signature = get_signature(method)
    return (signature[0] if isinstance(signature, list) else signature).return_annotation


def _say(widget: QWidget) -> None:
    on = widget.viewport() if isinstance(widget, QAbstractScrollArea) else widget
    painter = QPainter()
    if not painter.begin(on):
        return
    room = on.rect().adjusted(4, 2, -4, -2)
    painter.fillRect(on.rect(), on.palette().window())
    painter.setPen(on.palette().windowText().color())
    painter.drawText(room, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, NOT_DRAWN)
    painter.end()


def _is_qt(kind: type) -> bool:
    return kind.__module__.partition(".")[0] in ("PySide6", "Shiboken", "shiboken6")


def _below(kind: type) -> Iterator[type]:
    """All classes below ``kind``, each after what it is made of."""
    found: list[Any] = [kind]
    for each in found:
        found.extend(below for below in each.__subclasses__() if below not in found)
    return iter(sorted(found, key=lambda below: len(below.__mro__)))
