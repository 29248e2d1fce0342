"""The table of decoding stages. A new one is a file and a line here.

Its order is the one in which stages are put where nobody says another: that of transformers' ``generate``, and greedy
last.
"""

from __future__ import annotations

from arplay.core.decoding.stage import Stage
from arplay.core.decoding.temperature import GREEDY, TEMPERATURE
from arplay.core.decoding.truncation import MIN_P, TOP_K, TOP_P

STAGES: dict[str, Stage] = {stage.name: stage for stage in (TEMPERATURE, TOP_K, TOP_P, MIN_P, GREEDY)}
