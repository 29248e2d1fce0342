"""argparse, where an option takes the next argument whatever it begins with, and errors are one safe line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import Any, NoReturn

from arplay.core.signs import safe


class Parser(argparse.ArgumentParser):
    """As GNU programs do: ``--prompt -x`` is the text "-x", where argparse itself would look for an option -x."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        return super().parse_known_args(self._joined(sys.argv[1:] if args is None else args), namespace)

    def error(self, message: str) -> NoReturn:
        super().error(safe(message))

    def _get_values(self, action: argparse.Action, arg_strings: list[str]) -> Any:
        """The value of an option is the argument itself, where Python 3.11 leaves "--" out."""
        if not action.option_strings or action.nargs is not None:
            return super()._get_values(action, arg_strings)
        value = self._get_value(action, arg_strings[0])
        self._check_value(action, value)
        return value

    def _joined(self, args: Iterable[str]) -> list[str]:
        """``--option value`` as ``--option=value``, up to ``--``."""
        joined, left = list[str](), iter(args)
        for arg in left:
            if arg == "--":
                return [*joined, arg, *left]
            action = self._option_string_actions.get(arg)
            takes_value = action is not None and action.nargs is None and arg.startswith("--")
            value = next(left, None) if takes_value else None
            joined.append(arg if value is None else f"{arg}={value}")
        return joined
