"""The table of decoding stages. A new one is a file and a line here.

Its order is the one in which stages are put where nobody says another: that of transformers' ``generate``, and greedy
last.
"""

from __future__ import annotations

from arplay.core.decoding.bias import BAN, BEGINS, BIAS, MIN_LENGTH
from arplay.core.decoding.grammar import CHOICES, JSON_SCHEMA, REGEX
from arplay.core.decoding.penalties import DRY, FREQUENCY, NO_REPEAT, PRESENCE, REPETITION
from arplay.core.decoding.second import CONTRASTIVE, GUIDANCE
from arplay.core.decoding.stage import Stage
from arplay.core.decoding.surprisal import EPSILON, ETA, MIROSTAT, TOP_H, TYPICAL
from arplay.core.decoding.temperature import DYNAMIC, GREEDY, TEMPERATURE
from arplay.core.decoding.truncation import MIN_P, TAIL_FREE, TOP_A, TOP_K, TOP_N_SIGMA, TOP_P, XTC

_ALL = (
    BIAS, REPETITION, FREQUENCY, PRESENCE, DRY, NO_REPEAT, BAN, MIN_LENGTH, BEGINS, REGEX, JSON_SCHEMA, CHOICES,
    TEMPERATURE, DYNAMIC, TOP_N_SIGMA, TOP_H, TOP_K, TOP_P, MIN_P, TOP_A, TYPICAL, TAIL_FREE, EPSILON, ETA, XTC,
    MIROSTAT, GUIDANCE, CONTRASTIVE, GREEDY,
)  # fmt: skip
STAGES: dict[str, Stage] = {stage.name: stage for stage in _ALL}
