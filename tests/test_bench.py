"""`arplay bench`: the keys that were promised, for a model with a baseline and for one without."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from arplay.cli import main
from arplay.engine import bench
from arplay.models.gguf import baseline as gguf_baseline
from arplay.models.hf import baseline as hf_baseline
from tests.tiny_ggufs import write
from tests.tiny_models import one_thread, tiny_folders

__all__ = ["one_thread", "tiny_folders"]

KEYS = {
    "machine",
    "model",
    "load_s",
    "not_compared",
    "prefill_tokens_per_s",
    "step_ms",
    "score_tokens_per_s",
    "largest_difference_nats",
    "peak_rss_mib",
    "peak_rss_of_llama_cpp_mib",
    "weights_mib",
    "cache_mib",
}


def told(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    assert main(["bench", *argv]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    return said.out


def test_a_table_has_no_baseline(capsys: pytest.CaptureFixture[str]) -> None:
    record = json.loads(told(capsys, "--model", "abc", "--json"))
    assert record.keys() == KEYS
    assert set(record["step_ms"]) == {"arplay", "bare", "generate", "uncached", "floor"}
    assert set(record["step_ms"]["arplay"]) == {"32", "256", "1024"}
    assert record["step_ms"]["bare"] == {"32": None, "256": None, "1024": None}
    assert record["score_tokens_per_s"]["bare"] is None and record["score_tokens_per_s"]["arplay"] > 0


def test_a_folder_is_compared_as_far_as_its_context_goes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tiny_folders: dict[str, Path], tmp_path: Path
) -> None:
    monkeypatch.setattr(bench, "PREFIXES", (3, 9, 1024))
    folder = str(tiny_folders["llama"])
    record = json.loads(told(capsys, "--model", folder, "--device", "cpu", "--json"))
    for name in ("arplay", "bare", "generate", "uncached", "floor"):
        assert set(record["step_ms"][name]) == {"3", "9"}
        assert all(value is not None and value >= 0 for value in record["step_ms"][name].values())
    assert record["score_tokens_per_s"]["bare"] > 0
    assert 0 <= record["largest_difference_nats"] < 1e-4
    assert record["weights_mib"] > 0 and record["cache_mib"] > 0
    table = told(capsys, "--model", folder, "--out", str(tmp_path / "bench.txt"))
    assert table == "" and "bare" in (tmp_path / "bench.txt").read_text("utf-8")


def test_the_baselines_fit_on_a_page() -> None:
    for module in (gguf_baseline, hf_baseline):
        lines = Path(module.__file__).read_text("utf-8").splitlines()
        code = [line for line in lines if line.strip() and not line.startswith('"""')]
        assert len(code) <= 40


def test_llama_cpps_process_is_counted_and_its_numbers_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "PREFIXES", (32, 96))
    pytest.importorskip("llama_cpp", reason="needs the extra: pip install 'arplay[gguf]'")
    file = str(write(tmp_path / "m.gguf", "llama", **{"llama.context_length": 4000}))
    record = json.loads(told(capsys, "--model", file, "--json"))
    assert record.keys() == KEYS
    theirs = record["peak_rss_of_llama_cpp_mib"]
    assert 10 < theirs < record["peak_rss_mib"] - 10, "both are processes with libraries of their own"
    assert record["largest_difference_nats"] < 0.1
    assert "of them in llama.cpp's process); weights" in told(capsys, "--model", file)
