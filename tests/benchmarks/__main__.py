"""All benchmarks, one after another, each in a process of its own: ``python -m tests.benchmarks``.

Read the figures on an idle machine. Each line prints the value, its baseline and whether the bar is met.
"""

from __future__ import annotations

import subprocess
import sys

NAMES = "start step heartbeat play speed lm_eval llama_cpp batch rollouts kept sound training long drag"
NAMES += " decoding tree history"

for name in NAMES.split():
    print(f"\n== {name}", flush=True)
    subprocess.run([sys.executable, "-m", f"tests.benchmarks.{name}"], check=True)
