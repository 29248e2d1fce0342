"""README and the pages in assets/docs/: short enough to be read, no dead link, and no file named that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
README = REPOSITORY / "README.md"
ASSETS = REPOSITORY / "assets"
PAGES = sorted((*(ASSETS / "docs").glob("*.md"), ASSETS / "CONTRIBUTING.md"))

LINES, COLUMNS = 250, 120


def prose(text: str) -> str:
    """``text`` without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def links(text: str) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", prose(text))


def dead(page: Path, text: str, root: Path) -> list[str]:
    """The relative links of ``text`` that lead to no file inside ``root``; the window knows no places inside a page."""

    def leads(link: str) -> bool:
        target = (page.parent / link).resolve()
        return target.is_relative_to(root) and target.is_file()

    return [link for link in links(text) if not re.match(r"[a-z]+:", link) and not leads(link)]


def twice(text: str) -> list[str]:
    """Headings that are there more than once."""
    titles = re.findall(r"^#+ .*$", prose(text), flags=re.MULTILINE)
    return [title for title in dict.fromkeys(titles) if titles.count(title) > 1]


def absent(text: str) -> list[str]:
    """The Python files and rooms named in ``text`` that are nowhere in arplay."""
    named = set(re.findall(r"`(?:arplay/)?([\w/*]+\.py|[\w/]+/)`", text))
    trees = re.findall(r"^```\narplay/\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    for line in "".join(trees).splitlines():
        if line.startswith("  "):
            named |= set(re.findall(r"\b[\w*]+(?:\.py|/)", line[:22]))
    package = REPOSITORY / "arplay"
    return sorted(
        name for name in named if not any(package.rglob(name.rstrip("/"))) and not (REPOSITORY / name).exists()
    )


def too_long(text: str) -> list[str]:
    """What makes ``text`` no quick read."""
    lines = text.splitlines()
    return [line for line in lines if len(line) > COLUMNS] + lines[LINES:]


def test_the_readme_is_a_quick_read() -> None:
    assert too_long(README.read_text("utf-8")) == []
    assert too_long("word\n" * LINES + "one more\n") == ["one more"]
    assert too_long("x" * (COLUMNS + 1)) == ["x" * (COLUMNS + 1)]


@pytest.mark.parametrize("page", [README, *PAGES], ids=lambda path: path.name)
def test_no_page_has_a_dead_link_or_names_what_is_not_there(page: Path) -> None:
    text = page.read_text("utf-8")
    assert dead(page, text, REPOSITORY if page == README else ASSETS) == []
    assert absent(text) == []
    assert twice(text) == []
    assert [line for line in text.splitlines() if len(line) > COLUMNS and not line.startswith("|")] == []


def test_a_dead_link_is_found() -> None:
    page = ASSETS / "docs" / "numbers.md"
    said = "[a](none.md) [b](../../README.md) [c](speed.md#part) [d](speed.md) [e](https://example.org/) [f](../docs)\n"
    assert dead(page, said, ASSETS) == ["none.md", "../../README.md", "speed.md#part", "../docs"]
    assert dead(page, "```\n[a](none.md)\n```\n", ASSETS) == []


def test_a_heading_that_is_there_twice_is_found() -> None:
    assert twice("# One\n## Two\n```\n## Two\n```\n## Three\n## Two\n") == ["## Two"]


def test_a_file_that_is_not_there_is_found() -> None:
    assert absent("`core/tree.py` `core/none.py` `nowhere/` `gui/` `fast_*.py` `slow_*.py`\n") == [
        "core/none.py",
        "nowhere/",
        "slow_*.py",
    ]
    assert absent("```\narplay/\n  core/    nothing/ here\n    none.py  text\n```\n") == ["none.py", "nothing/"]


def test_the_readme_leads_to_every_page() -> None:
    told = {(README.parent / link).resolve() for link in links(README.read_text("utf-8"))}
    assert set(PAGES) <= told


def strange(text: str, examples: str) -> list[str]:
    """Blocks of Python in ``text`` that are not in ``examples``, where tests run them."""
    blocks = re.findall(r"^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    return [block for block in blocks if block not in examples]


def test_what_contributors_are_shown_is_what_tests_run() -> None:
    examples = "".join(file.read_text("utf-8") for file in (REPOSITORY / "tests" / "examples").glob("*.py"))
    shown = (ASSETS / "CONTRIBUTING.md").read_text("utf-8")
    assert strange(shown, examples) == []
    assert strange("```python\nno_such_thing()\n```\n", examples) == ["no_such_thing()\n"]
