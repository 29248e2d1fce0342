"""The Python that the documentation shows runs, and prints what is written there."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent


def blocks(page: str) -> list[str]:
    """The code blocks of a page, without their fences, in order."""
    return re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def failures(page: str) -> list[str]:
    """What is printed otherwise than ``page`` says; its blocks are one session."""
    runner, told = doctest.DocTestRunner(), list[str]()
    test = doctest.DocTestParser().get_doctest("\n".join(blocks(page)), {}, "page", "page", 0)
    assert len(test.examples) > 1
    runner.run(test, out=told.append)
    return told


def test_the_page_on_python_prints_what_it_says() -> None:
    page = (REPOSITORY / "assets" / "docs" / "python.md").read_text("utf-8")
    assert len(blocks(page)) > 5
    assert failures(page) == []


def test_a_page_that_says_otherwise_is_found() -> None:
    page = "```python\n>>> x = 1\n>>> x\n2\n```\n"
    assert "Expected:\n    2" in "".join(failures(page))


def test_the_readme_shows_python_that_runs() -> None:
    readme = (REPOSITORY / "README.md").read_text("utf-8")
    code = blocks(readme)
    assert code, "no section on Python"
    names: dict[str, object] = {}
    for block in code:
        exec(compile(block, "README.md", "exec"), names)
    assert names
    with pytest.raises(SyntaxError):
        compile("model.next(", "README.md", "exec")
