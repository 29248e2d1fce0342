"""Rule 4 and the safety rules, read from the source: where threads and processes start, who decides what is stale."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

import arplay
from arplay.models import families

PACKAGE = Path(arplay.__file__).parent

THREADS = {"threading.Thread", "threading.Timer", "_thread", "concurrent.futures", "asyncio"}
THREADS |= {"multiprocessing.pool", "multiprocessing.dummy"}
THREADS |= {f"PySide6.QtCore.{name}" for name in ("QThread", "QThreadPool", "QRunnable")}
PROCESSES = {"subprocess", "multiprocessing", "pty", "PySide6.QtCore.QProcess", "os.startfile"}
PROCESSES |= {f"os.{name}" for name in ("fork", "forkpty", "system", "popen", "posix_spawn", "posix_spawnp")}
PROCESSES |= {
    f"os.{kind}{end}" for kind in ("exec", "spawn") for end in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")
}
UNSAFE_MODULES = {"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}

Find = Callable[["Source"], Iterator[ast.AST]]


class Source(list[ast.AST]):
    """All nodes of a file, read once for all rules."""

    def __init__(self, text: str) -> None:
        super().__init__(ast.walk(ast.parse(text)))

    def calls(self) -> Iterator[tuple[ast.Call, str]]:
        """Each with the name that is called, of dots and names; "" where it is another expression."""
        return ((node, dotted(node.func)) for node in self if isinstance(node, ast.Call))


def dotted(node: ast.AST) -> str:
    """a.b.c as it is written; "" for what is not made of names."""
    if isinstance(node, ast.Attribute):
        head = dotted(node.value)
        return head and f"{head}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


parsed = cache(Source)


@dataclass(frozen=True)
class Rule:
    """``find`` yields what is allowed only below ``places`` (paths in the package; "" ends a folder)."""

    name: str
    find: Find
    places: tuple[str, ...]
    broken: tuple[str, ...]
    """Sources that the rule must catch: its negative control."""
    fine: tuple[str, ...]

    def breaches(self, source: str, path: str) -> list[str]:
        if path.startswith(self.places):
            return []
        return [f"{path}:{getattr(node, 'lineno', 0)} {ast.unparse(node)}" for node in self.find(parsed(source))]


def uses(names: set[str]) -> Find:
    """Imports of these modules or names, and attributes of imported modules that are spelt so."""

    def find(tree: Source) -> Iterator[ast.AST]:
        aliases: dict[str, str] = {}
        for node in tree:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    aliases[alias.asname or alias.name.partition(".")[0]] = (
                        alias.name if alias.asname else alias.name.partition(".")[0]
                    )
                    if _among(alias.name, names):
                        yield node
            elif isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    aliases[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                    if _among(f"{node.module}.{alias.name}", names):
                        yield node
        for node in tree if aliases else ():
            if isinstance(node, ast.Attribute):
                head, *rest = dotted(node).split(".")
                if head in aliases and ".".join([aliases[head], *rest]) in names:
                    yield node

    return find


def _among(name: str, names: set[str]) -> bool:
    return any(name == known or name.startswith(f"{known}.") for known in names)


def compared_numbers(tree: Source) -> Iterator[ast.AST]:
    """Comparisons of a request's or result's number."""
    for node in tree:
        if isinstance(node, ast.Compare):
            sides = (node.left, *node.comparators)
            if any(isinstance(side, ast.Attribute) and side.attr == "number" for side in sides):
                yield node


def calls_in_a_foreign_thread(tree: Source) -> Iterator[ast.AST]:
    """A lambda, partial or plain function connected to what the worker emits runs in the worker's thread."""
    for node in tree:
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "connect"):
            continue
        signal = ast.unparse(node.func.value)
        foreign = signal.endswith("._arrived") or "worker" in signal.lower() or signal.endswith("bridge.result")
        if foreign and node.args and not isinstance(node.args[0], ast.Attribute):
            yield node


def runs_foreign_code(tree: Source) -> Iterator[ast.AST]:
    """eval, exec, pickles in any guise, and loaders that are not told to take data only."""
    yield from uses(UNSAFE_MODULES)(tree)
    for node, called in tree.calls():
        given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
        if (
            called in ("eval", "exec", "__import__")
            or (called == "torch.load" and given.get("weights_only") != "True")
            or given.get("allow_pickle", "False") != "False"
            or given.get("trust_remote_code", "False") != "False"
            or given.get("shell", "False") != "False"
        ):
            yield node


def writes_numbers_its_own_way(tree: Source) -> Iterator[ast.AST]:
    """Per cents, powers of ten and bytes that are put into words elsewhere than in the one place for it."""
    for node in tree:
        if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
            spec = "".join(part.value for part in node.format_spec.values if isinstance(part, ast.Constant))
            if spec[-1:] in ("%", "e"):
                yield node
        elif isinstance(node, ast.JoinedStr):
            for number, text in itertools.pairwise(node.values):
                after = text.value if isinstance(text, ast.Constant) else ""
                bound = isinstance(number, ast.FormattedValue) and isinstance(number.value, ast.BinOp)
                exact = bound and isinstance(number.value.op, ast.RShift)  # a limit that is so many MiB, no measurement
                if isinstance(number, ast.FormattedValue) and not exact and re.match(r"\xa0? ?(%|[kMGT]i?B\b)", after):
                    yield node
        elif dotted(getattr(node, "func", node)) == "format" and re.fullmatch(
            r"format\(.*[%e]['\"]\)", ast.unparse(node)
        ):
            yield node


def guesses_at_a_model(tree: Source) -> Iterator[ast.AST]:
    """What a model or a session is, found by its class or by its attributes."""
    for node, called in tree.calls():
        if called not in ("isinstance", "hasattr", "getattr", "vars"):
            continue
        given = [ast.unparse(argument) for argument in node.args]
        of = given[0].rpartition(".")[2].lstrip("_")
        kinds = re.findall(r"\w+", given[1]) if given[1:] and called == "isinstance" else []
        known = [kind for kind in kinds if kind.endswith(("Model", "Session", "CausalLM")) and not kind.startswith("Q")]
        if of in ("model", "session") or known:
            yield node


NAMES = {name for one in families.FAMILIES for name in (one.name, one.model_type, one.suffix)} | set(
    families.trainings()
)
NAMES -= {"", ".json", "transformers"}  # data are written as JSON too; the last is a library and an engine as well


def asks_for_a_family(tree: Source) -> Iterator[ast.AST]:
    """Comparisons with the name of a family, a file's ending among them, and tables that are keyed by such names."""

    def named(node: ast.AST | None) -> bool:
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            return any(map(named, node.elts))
        return isinstance(node, ast.Constant) and node.value in NAMES

    for node in tree:
        match node:
            case ast.Compare() if any(map(named, (node.left, *node.comparators))):
                yield node
            case ast.MatchValue() if named(node.value):
                yield node
            case ast.Dict() if sum(map(named, node.keys)) > 1:
                yield node
            case ast.Call(func=ast.Attribute(attr="endswith" | "startswith")) if any(map(named, node.args)):
                yield node


RULES = (
    Rule(
        "what a model can do is asked of its Capabilities",
        guesses_at_a_model,
        ("models/",),
        (
            'getattr(model, "network", None)',
            'hasattr(self._model, "batch")',
            'vars(loaded.model)["weights"]',
            "isinstance(it, NgramModel)",
            "isinstance(it, Table | CausalLM)",
        ),
        ('getattr(args, "model")', "isinstance(items, QStandardItemModel)", "model.can.keeps"),
    ),
    Rule(
        "only models/ asks for a family by its name: what others need of it stands in the table of families",
        asks_for_a_family,
        ("models/",),
        (
            'if plan.family == "ngram": pass',
            'counted = "rnn" != family',
            'if card.family in ("table", "n-gram"): pass',
            'if "arplay-rnn" not in {kind}: pass',
            'is_gguf = path.suffix == ".gguf"',
            'name.endswith((".gguf", ".bin"))',
            'match family:\n    case "transformer" | "rnn": pass',
            'BATCH = {"transformer": 8, "rnn": 32}',
        ),
        (
            "counted = plan.training.counted",
            'if info.engine == "transformers": pass',
            'if path.suffix == ".json": pass',
            'replace(info, family="ngram")',
            'roles = {"table": 1, "chart": 2}',
        ),
    ),
    Rule(
        "threads start in engine/, gui/bridge.py, the server, and the process of llama.cpp, which watches for its end",
        uses(THREADS),
        ("engine/", "gui/bridge.py", "serving/server.py", "models/gguf/child.py"),
        (
            "import threading\nthreading.Thread(target=print).start()",
            "from threading import Thread",
            "import threading as t\nt.Timer(1, print)",
            "from concurrent.futures import ThreadPoolExecutor",
            "import concurrent.futures",
            "from PySide6.QtCore import QObject, QThread",
            "from PySide6 import QtCore\nQtCore.QThreadPool.globalInstance()",
        ),
        ("import threading\nlock = threading.Lock()", "from PySide6.QtCore import QTimer"),
    ),
    Rule(
        "child processes start in engine/, for training in packages.py and shares.py, and for llama.cpp",
        uses(PROCESSES),
        ("engine/", "models/gguf/parent.py", "training/packages.py", "training/shares.py"),
        (
            "import subprocess",
            "from subprocess import run",
            "import os\nos.system('ls')",
            "from os import execvp",
            "import os\nos.fork()",
            "from PySide6.QtCore import QProcess",
            "def f():\n    import multiprocessing.pool",
        ),
        ("import os\nos.environ.get('HOME')\nos._exit(0)", "from PySide6.QtCore import QObject"),
    ),
    Rule(
        "numbers are written for people in one place",
        writes_numbers_its_own_way,
        ("core/format.py",),
        (
            'f"{share:.0%}"',
            'f"{100 * p:.2f}%"',
            'f"{100 * p:.2f} % of them"',
            'f"{gap:.1e}"',
            'format(p, ".2%")',
            'f"{count / 1e6:.1f} MB"',
            'f"needs {needed / 2**30:.1f} GiB"',
        ),
        (
            'f"{percent(p)} of them"',
            'f"{size(count)} free"',
            'f"larger than {MOST >> 20} MiB"',
            'f"{u:.4f}"',
            "100 % count",
            'f"{name} MBit"',
        ),
    ),
    Rule(
        "bridge.py alone decides what is stale",
        compared_numbers,
        ("gui/bridge.py", "engine/"),
        ("if result.number < newest: pass", "fresh = self.asked == result.number"),
        ("cancel(result.number)", "if row < count: pass"),
    ),
    Rule(
        "no lambda, partial or plain function is called by the worker's signals",
        calls_in_a_foreign_thread,
        (),
        (
            "self._arrived.connect(lambda r: show(r))",
            "bridge.result.connect(partial(show, 1))",
            "worker.done.connect(f)",
        ),
        ("self._arrived.connect(self._deliver, kind)", "button.clicked.connect(lambda: take(1))"),
    ),
    Rule(
        "nothing that is loaded can run code",
        runs_foreign_code,
        (),
        (
            "import pickle",
            "from marshal import loads",
            "eval('1')",
            "exec(text)",
            "torch.load(path)",
            "torch.load(path, weights_only=False)",
            "np.load(path, allow_pickle=True)",
            "AutoModel.from_pretrained(path, trust_remote_code=True)",
            "run('ls', shell=True)",
        ),
        ("torch.load(path, weights_only=True)", "model.eval()", "dialog.exec()", "f(trust_remote_code=False)"),
    ),
)

by_name = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)


@by_name
def test_the_source_keeps_the_rule(rule: Rule) -> None:
    sources = {path.relative_to(PACKAGE).as_posix(): path.read_text("utf-8") for path in PACKAGE.rglob("*.py")}
    assert len(sources) > 40
    assert all(any(path.startswith(place) for path in sources) for place in rule.places)
    assert not [breach for path, source in sources.items() for breach in rule.breaches(source, path)]


@by_name
def test_the_rule_sees_what_breaks_it_and_only_that(rule: Rule) -> None:
    for source in rule.broken:
        assert rule.breaches(source, "core/chain.py"), source
    for source in rule.fine:
        assert not rule.breaches(source, "core/chain.py"), source
    for place in rule.places:
        assert not rule.breaches(rule.broken[0], place), place


def test_what_the_worker_emits_is_queued_to_the_windows_thread() -> None:
    tree = ast.parse((PACKAGE / "gui" / "bridge.py").read_text("utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    arrived = [call for call in calls if ast.unparse(call.func) == "self._arrived.connect"]
    assert [ast.unparse(argument) for call in arrived for argument in call.args[1:]] == [
        "Qt.ConnectionType.QueuedConnection"
    ]
