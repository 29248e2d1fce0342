"""``arplay bench``: how fast a model loads, reads, steps and scores here, beside the library it stands on."""

from __future__ import annotations

import argparse
import time

from arplay.commands import given, options, output
from arplay.commands.console import ProgressLine
from arplay.core.format import significant, size
from arplay.core.signs import safe
from arplay.engine import bench


def configure(parser: argparse.ArgumentParser) -> None:
    options.add_model(parser)
    output.add(parser)


def run(args: argparse.Namespace) -> int:
    with ProgressLine() as progress:
        began = time.perf_counter()
        model = given.model(args, progress)
        record = bench.measure(model.backend, time.perf_counter() - began, progress)
    output.deliver(args, lambda: _describe(record), lambda: record)
    return 0


def _describe(record: bench.Record) -> str:
    model, score = record["model"], record["score_tokens_per_s"]
    apart = record["largest_difference_nats"]
    peak = record["peak_rss_of_llama_cpp_mib"]
    theirs = "" if peak is None else f" ({_size(peak)} of them in llama.cpp's process)"
    bare = "" if score["bare"] is None else f" (bare {score['bare']:,.0f})"
    lines = [
        f"{safe(model['name'])}: {model['parameters']:,} parameters, {model['dtype']} by {model['engine']}",
        record["machine"],
        "",
        *(f"{name:<18}" + "".join(f"{cell:>14}" for cell in cells) for name, cells in bench.rows(record)),
        "",
        f"load     {record['load_s']:,.2f} s (libraries included)",
        f"prefill  {record['prefill_tokens_per_s']:,.0f} tokens/s",
        f"scoring  {score['arplay']:,.0f} tokens/s{bare}",
        *([] if apart is None else [f"numbers  at most {significant(apart, 1)} nats from the bare library's"]),
        f"memory   {_size(record['peak_rss_mib'])} at most{theirs}; weights {_size(record['weights_mib'])}, "
        f"cache {_size(record['cache_mib'])}",
        *(f"not used: {safe(sentence)}" for sentence in (*model["not_used"], *record["not_compared"])),
    ]
    return "\n".join(lines) + "\n"


def _size(mebibytes: float) -> str:
    return size(mebibytes * 2**20)
