"""The bars of steps, scoring, memory and repainting, for ``english`` and, where it is on this computer, ``smollm2``.

``python -m tests.benchmarks.speed [PYTHON]``: PYTHON is one that has minicons, which is then measured too.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time

from tests.benchmarks.harness import row

TEXT = "It was a dark and stormy night, and the old man sat by the fire. He said nothing for a long while.\n"
TOKENS = 3333

PEER = """
import sys, time, torch
folder, text, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
torch.set_num_threads(threads)
from minicons import scorer
other = scorer.IncrementalLMScorer(folder, "cpu")
ids = other.tokenizer.encode(text, add_special_tokens=False)[:1000]
part = other.tokenizer.decode(ids)
began = time.perf_counter(); other.token_score([part], rank=True)
print(len(ids) / (time.perf_counter() - began))
"""

PEAK = """
import resource, sys, torch
from transformers import AutoModelForCausalLM
from arplay.models.hf.library import Forward
torch.set_num_threads(int(sys.argv[2]))
net = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32, attn_implementation="sdpa").eval()
context = min(1024, net.config.max_position_embeddings)
with torch.inference_mode():
    ids = torch.randint(0, net.config.vocab_size, (1, context))
    forward, kept = Forward(net), None
    for low in range(0, context, 64):
        kept = forward(ids[:, low : low + 64], kept, keep=True)[1]
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def main() -> None:
    from arplay.models import catalogue

    for name in ("english", "smollm2"):
        if not catalogue.is_ready(name):
            print(f"{name} is not on this computer (arplay models get {name})")
            continue
        command = [sys.executable, "-m", "arplay", "bench", "--model", name]
        command += ["--device", "cpu", "--dtype", "float32", "--json"]
        record = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
        print(f"\n== {name}: {record['machine']}\n{json.dumps(record)}")
        steps, scored = record["step_ms"], record["score_tokens_per_s"]
        for prefix, ours in steps["arplay"].items():
            bare, generate = steps["bare"][prefix], steps["generate"][prefix]
            floor = f"floor {steps['floor'][prefix]:.1f} ms"
            part = {"english": 0.45, "smollm2": 0.6}[name]
            row(f"{name}: step after {prefix}", ours, "ms", part * bare, f"bare {bare:.2f} ms, {floor}")
            row(f"{name}: step after {prefix}", ours, "ms", generate / 1.2, f"generate {generate:.2f} ms")
        row(f"{name}: bare scoring over ours", scored["bare"] / scored["arplay"], "x", 1 / 0.95, "tokens/s")
        of_us(name, record["peak_rss_mib"])


def of_us(name: str, peak: float) -> None:
    """Memory, a last character and the scoring of prose, with the engine's own jobs."""
    import torch

    from arplay.core.modalities.text import Caret, Text
    from arplay.core.reading import Reading
    from arplay.engine.explore import Explore, explore
    from arplay.engine.fetch import fetch
    from arplay.engine.job import Line, Steps
    from arplay.engine.load import Load, load
    from arplay.engine.scoring import Known, Score, score
    from arplay.engine.state import Pace, State
    from arplay.models import catalogue

    def finished(steps: Steps) -> float:
        began = time.perf_counter()
        for _ in steps:
            pass
        return time.perf_counter() - began

    def asked(text: str) -> Explore:
        document = Text.of(text.encode())
        return Explore(0, document, Caret(len(document)), Reading())

    state = State(catalogue.load, pace=Pace(patience=2.0, alone=True))  # as the command line scores
    finished(load(state, Load(0, name, "cpu", "float32"), Line(lambda fraction, what: None, lambda: False, fetch)))
    model = state.current()
    threads, source = str(torch.get_num_threads()), model.info.source
    bare = float(subprocess.run([sys.executable, "-c", PEAK, source, threads], capture_output=True, text=True).stdout)
    row(f"{name}: peak memory", peak, "MiB", bare + 100, f"bare script {bare:.0f} MiB")

    prose = TEXT * (TOKENS // 20)
    ids = model.alphabet.encode(prose.encode())
    room = (model.info.context or 1100) - 10
    start = prose.encode()[: int(ids.ends[min(1000, room) - 1])].decode()
    edits, steps = [], []
    finished(explore(state, asked(start)))
    for char in "abcdefgh":
        edits.append(finished(explore(state, asked(start + char))))
        session = state.current().session()
        session.read(ids.ids[: min(1000, room)].tolist())
        began = time.perf_counter()
        session.read([5])
        session.logits()
        steps.append(time.perf_counter() - began)
    step = statistics.median(steps)
    row(f"{name}: last character of 1,000 tokens", 1000 * statistics.median(edits), "ms", 3000 * step, "3 steps")

    text = prose.encode()[: int(ids.ends[TOKENS - 1])].decode()
    state.kept(Known).work = None
    ours = TOKENS / finished(score(state, Score(0, Text.of(text.encode()), Reading())))
    print(f"{name}: {ours:.0f} tokens/s for {TOKENS:,} tokens of prose")
    if len(sys.argv) > 1:
        command = [sys.argv[1], "-c", PEER, source, text, threads]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        minicons = float(said.split()[-1])
        row(f"{name}: minicons over ours", minicons / ours, "x", 1 / 3, f"{minicons:.0f} tokens/s")


if __name__ == "__main__":
    main()
