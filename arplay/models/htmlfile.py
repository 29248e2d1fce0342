"""The text of a page in HTML: what a reader of it sees, without its markup.

A page is input: one pass, in time proportional to its length whatever stands in it, and nothing of it runs or is
fetched. Where white space does not count, a run of it is one space, as in a browser; the end of a block is the end of a
line, and there is an empty line around paragraphs.
"""

from __future__ import annotations

import codecs
import html
import re
from dataclasses import dataclass
from pathlib import Path

ENDINGS = (".html", ".htm", ".xhtml")
MOST_BYTES = 50_000_000

_TAG = re.compile(r"""</?([a-zA-Z][^\s/>]*+)(?:[^>=]|=\s*+(?:"[^"]*"|'[^']*')?)*+>""")
"""A quote counts behind ``=`` only, as in a browser: ``<img alt=5" src=x>`` ends at its first ``>``."""
_UNSEEN = frozenset((
    "script", "style", "title", "template", "noscript", "iframe", "object", "svg", "math", "select", "datalist",
    "textarea",
))  # fmt: skip
_PARAGRAPHS = frozenset((
    "p", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote", "ul", "ol", "dl", "table", "figure", "form",
    "section", "article", "hr",
))  # fmt: skip
_BLOCKS = _PARAGRAPHS | frozenset((
    "address", "aside", "body", "caption", "center", "dd", "details", "dialog", "div", "dt", "fieldset",
    "figcaption", "footer", "header", "hgroup", "html", "legend", "li", "main", "menu", "nav", "option", "summary",
    "tbody", "tfoot", "thead", "tr", "br",
))  # fmt: skip
_EMPTY = frozenset((
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr",
))  # fmt: skip
_HOLDERS = frozenset(("ul", "ol", "menu", "dl", "table", "select"))
_PARTS = frozenset(("li", "dt", "dd", "tr", "td", "th", "tbody", "thead", "tfoot"))
"""What ends without an end tag of its own where the next one begins, or where what holds it ends; ``p`` does too."""
_VALUE = re.compile(r"""=\s*+(?:"[^"]*"|'[^']*'|[^\s>"']++)""")
_NOT_SHOWN = re.compile(r"""\sstyle\s*+=\s*+(?:"[^"]*?|'[^']*?)\bdisplay\s*:\s*none\b""", re.IGNORECASE)
_SPACE = re.compile(r"[ \t\n\f\r]+")
_MARKS = {"utf-8": codecs.BOM_UTF8, "utf-16": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
_DECLARED = re.compile(
    rb"""<meta\s[^>]*?charset\s*=\s*["']?\s*([\w.:-]+)|^\s*<\?xml\s[^>]*?encoding\s*=\s*["']([\w.:-]+)""",
    re.IGNORECASE,
)
_LOOKED_AT = 1024


@dataclass(frozen=True, slots=True)
class Stripped:
    """``data``: the text in UTF-8. ``of``: how many bytes the page had."""

    data: bytes
    of: int

    @property
    def said(self) -> str:
        return f"its markup is taken off: {len(self.data):,} of {self.of:,} bytes are text"


def is_xml(path: Path) -> bool:
    """Whether it is read as XML, by its name."""
    return path.suffix.lower() == ".xhtml"


def is_page(path: Path) -> bool:
    """By its name."""
    return path.suffix.lower() in ENDINGS


def declared(path: Path) -> str | None:
    """What a file that is a page says it is written in, as :func:`encoding_of` has it; None for any other file."""
    if not is_page(path):
        return None
    try:
        with path.open("rb") as file:
            return encoding_of(file.read(_LOOKED_AT))
    except OSError:
        return None  # what is wrong with it is told by whoever reads it


def encoding_of(data: bytes) -> str | None:
    """What a page that begins so says it is written in; None for UTF-8, for silence, and for what nobody knows.

    Its mark comes before its words, which are looked for in the first 1,024 bytes; Latin 1 means Windows' (WHATWG,
    Encoding and HTML, "Determining the character encoding").

    >>> encoding_of(b'<meta charset="iso-8859-1">'), encoding_of(b"\\xff\\xfe<"), encoding_of(b"<p>")
    ('cp1252', 'utf-16', None)
    """
    marked = next((name for name, mark in _MARKS.items() if data.startswith(mark)), None)
    found = _DECLARED.search(data[:_LOOKED_AT])
    if marked is not None or found is None:
        return None if marked in (None, "utf-8") else "utf-16"
    try:
        name = codecs.lookup((found[1] or found[2]).decode("ascii")).name
        "".encode(name)  # some codecs are none of texts
    except (LookupError, UnicodeError):
        return None
    if name in ("utf-8", "ascii") or name.startswith("utf-16"):  # what can be read as ASCII is not UTF-16
        return None
    return "cp1252" if name == "iso8859-1" else name


def stripped(data: bytes, is_xml: bool = False) -> Stripped:
    """The text of a page in UTF-8 (bytes that are none stay as they are); ``is_xml``: CDATA are text, as in XHTML.

    >>> stripped(b"<title>T</title><p>A <b>dark</b>\\n&eacute;<br>night<script>1 < 2</script> <p>was").data.decode()
    'A dark é\\nnight\\n\\nwas\\n'
    """
    text = _Text()
    _read(data.decode("utf-8", "surrogateescape"), text, is_xml)
    return Stripped(text.whole.encode("utf-8", "surrogateescape"), len(data))


class _Text:
    """What is seen, put together: white space and ends of lines wait until something comes behind them."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._lines, self._space, self.pre, self.lists = 0, False, 0, 0

    def write(self, raw: str) -> None:
        text = html.unescape(raw) if "&" in raw else raw
        if self.pre:
            if text:
                self._begin()
                self._parts.append(text.replace("\r\n", "\n"))
            return
        text = _SPACE.sub(" ", text)
        if text[:1] == " ":
            self._space, text = True, text[1:]
        if not text:
            return
        self._begin()
        self._space = text[-1] == " "
        self._parts.append(text[:-1] if self._space else text)

    def _begin(self) -> None:
        if self._lines:
            self._parts.append("\n" * self._lines)
        elif self._space and self._parts:
            self._parts.append(" ")
        self._lines, self._space = 0, False

    def end_line(self, lines: int) -> None:
        if self._parts:
            self._lines = max(self._lines, lines)
        self._space = False

    @property
    def whole(self) -> str:
        return "".join(self._parts) + "\n" * bool(self._parts)


class _Hidden:
    """An element that a browser does not show, for as long as it lasts."""

    def __init__(self) -> None:
        self.name = ""
        """What it is; "" where nothing is hidden."""
        self._depth = self._held = 0

    def begins(self, name: str, tag: str) -> bool:
        """Whether what this tag begins is not shown: it has ``hidden``, or a style that says so, or is a dialog that
        nobody opened."""
        words = _VALUE.sub("=", tag).lower()
        attributes = frozenset(re.split(r"[\s=/>]+", words)[1:])
        hides = "hidden" in attributes or (name == "dialog" and "open" not in attributes) or _NOT_SHOWN.search(tag)
        if hides and name not in _EMPTY:
            self.name, self._depth, self._held = name, 1, 0
        return bool(hides)

    def goes_on(self, name: str, ends: bool) -> bool:
        """Whether it does with this tag too; else it has ended before it."""
        step = -1 if ends else 1
        if self.name == "p":
            over = name in _BLOCKS and name != "br" and not (name == "p" and ends)
            self.name = "" if over or (name == "p" and ends) else self.name
            return not over
        if self.name in _PARTS:
            self._held += step * (name in _HOLDERS)
            if self._held < 0 or (self._held == 0 and name in _PARTS and not ends and name == self.name):
                self.name = ""
                return False
            self.name = "" if self._held == 0 and name == self.name and ends else self.name
            return True
        self._depth += step * (name == self.name)
        self.name = self.name if self._depth else ""
        return True


def _read(page: str, text: _Text, is_xml: bool) -> None:
    at, hidden, element = 0, False, _Hidden()
    while (sign := page.find("<", at)) >= 0:
        seen = not hidden and not element.name
        if seen:
            text.write(page[at:sign])
        at = sign
        if page.startswith("<!--", sign):
            at = _behind(page, "-->", sign + 4)
        elif is_xml and page.startswith("<![CDATA[", sign):
            at = _behind(page, "]]>", sign + 9)
            if seen:
                text.write(html.escape(page[sign + 9 : at].removesuffix("]]>"), quote=False))
        elif page[sign + 1 : sign + 2] in ("!", "?"):
            at = _behind(page, ">", sign)
        elif (found := _TAG.match(page, sign)) is not None:
            at, hidden = _tag(page, found, text, hidden, element)
        elif page.startswith("</", sign) and not page[sign + 2 : sign + 3].isalpha():
            at = _behind(page, ">", sign)  # an end of nothing, such as </>
        elif page[sign + 1 : sign + 2].isalpha() or page[sign + 1 : sign + 2] == "/":
            break  # a tag without an end: what is left is told as it is
        else:
            if seen:
                text.write("<")
            at = sign + 1
    if not hidden and not element.name:
        text.write(page[at:])


def _tag(page: str, found: re.Match[str], text: _Text, hidden: bool, element: _Hidden) -> tuple[int, bool]:
    """Where reading goes on behind a tag, and whether what comes there is not seen (it stands in the head).

    ``element``: one that is not shown, in which only its end is looked for.
    """
    name, ends, at = found[1].lower(), found[0].startswith("</"), found.end()
    if name not in _UNSEEN:
        if element.name and element.goes_on(name, ends):
            return at, hidden
        if not ends and name not in ("html", "head") and element.begins(name, found[0]):
            if name in _BLOCKS and not hidden:
                text.end_line(1)
            return at, hidden
    if name == "head":
        return at, not ends
    if name == "body":
        hidden = False
    if name in _UNSEEN and not ends and not found[0].endswith("/>"):
        end = re.compile(f"</{name}(?![a-z0-9-])", re.IGNORECASE).search(page, at)
        return (_behind(page, ">", end.end()) if end else len(page)), hidden
    if name == "pre":
        text.pre = max(0, text.pre + (-1 if ends else 1))
    inner = False
    if name in ("ul", "ol"):
        text.lists = max(0, text.lists - ends)
        inner = text.lists > 0  # a list in a list has no empty lines around it
        text.lists += not ends
    if name in _BLOCKS and not hidden:
        text.end_line(2 if name in _PARAGRAPHS and not inner else 1)
    elif name in ("td", "th") and not hidden:
        text.write(" ")
    return at, hidden


def _behind(page: str, sign: str, at: int) -> int:
    end = page.find(sign, at)
    return len(page) if end < 0 else end + len(sign)
