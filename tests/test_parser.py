"""An option takes the next argument whatever it begins with, in every command; errors of usage are one safe line."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from arplay.cli import COMMANDS
from arplay.commands.parser import Parser
from tests.hostile import hostile, raw


def parser_of(command: str, kind: type[argparse.ArgumentParser] = Parser) -> argparse.ArgumentParser:
    made = kind("arplay", allow_abbrev=False)
    importlib.import_module(f"arplay.commands.{command}").configure(made)
    return made


def text_options(command: str) -> list[str]:
    """The options that take any text or path."""
    return [
        action.option_strings[-1]
        for action in parser_of(command)._actions
        if action.option_strings and action.nargs is None and action.type in (None, Path) and not action.choices
    ]


ALL = [(command, option) for command in ("window", *COMMANDS) for option in text_options(command)]


def parsed(parser: argparse.ArgumentParser, option: str, given: list[str]) -> Any:
    """The value of ``option``; what else the command requires is not asked for."""
    for action in parser._actions:
        action.required = False
    for group in parser._mutually_exclusive_groups:
        group.required = False
    name = next(action.dest for action in parser._actions if option in action.option_strings)
    value = getattr(parser.parse_args(given), name)
    return value[0] if isinstance(value, list) else value  # an option that may be given several times


dashed = st.one_of(
    st.text(max_size=9).map("-{}".format),
    st.text("-=nx5 ", max_size=4),
    st.sampled_from([option for _, option in ALL]),
    st.integers().map(str),
)


@pytest.mark.parametrize(("command", "option"), ALL)
def test_every_text_option_takes_every_text(command: str, option: str) -> None:
    @given(dashed)
    @example("-")
    @example("--")
    @example("-5")
    @example("--help")
    @example("")
    def check(value: str) -> None:
        for written in ([option, value], [f"{option}={value}"]):
            assert parsed(parser_of(command), option, written) == kind(value)

    kind = Path if isinstance(parsed(parser_of(command), option, [option, "x"]), Path) else str
    check()


def test_there_are_such_options() -> None:
    assert {("next", "--prompt"), ("next", "--find"), ("sample", "--prompt"), ("score", "--csv")} <= set(ALL)
    assert len(ALL) > 20


def test_argparse_itself_would_refuse_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Negative control."""
    with pytest.raises(SystemExit):
        parsed(parser_of("next", argparse.ArgumentParser), "--prompt", ["--prompt", "-x"])
    capsys.readouterr()


@pytest.mark.parametrize("number", range(30))
def test_an_error_is_one_safe_line(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    word = hostile(number)
    for wrong in ([word, word], ["--model", "abc", "--device", word], ["--top", word], [f"--{word}"]):
        with pytest.raises(SystemExit):
            parser_of("next").parse_args(wrong)
        said = capsys.readouterr().err
        usage, _, error = said.partition("arplay: error: ")
        assert not raw(said) and error.count("\n") == 1 and usage.startswith("usage: arplay")


def test_what_stands_after_two_dashes_is_no_option() -> None:
    assert parser_of("score").parse_args(["--model", "-m", "--", "--csv"]).files[0] == Path("--csv")
