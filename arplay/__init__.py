"""arplay: see an autoregressive model think.

>>> import arplay
>>> model = arplay.load("abc")
>>> round(model.score("BAC").nll_nats, 4)
2.1203

What a program needs of it is here (see :mod:`arplay.api`); nothing is imported before it is asked for.
"""

from typing import TYPE_CHECKING

from arplay.version import __version__ as __version__

if TYPE_CHECKING:
    from arplay.api import (
        Beams,
        Hypothesis,
        Model,
        Next,
        Rollout,
        Rollouts,
        Sample,
        Score,
        Token,
        break_mask,
        load,
        merges,
        tokenizers,
    )
    from arplay.core.decoding.pipeline import Pipeline
    from arplay.core.errors import Problem
    from arplay.core.reading import Reading

__all__ = [
    "Beams",
    "Hypothesis",
    "Model",
    "Next",
    "Pipeline",
    "Problem",
    "Reading",
    "Rollout",
    "Rollouts",
    "Sample",
    "Score",
    "Token",
    "break_mask",
    "load",
    "merges",
    "tokenizers",
]

if not TYPE_CHECKING:  # else a name that is not there would be no mistake

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module 'arplay' has no attribute {name!r}")
        from arplay import api

        return getattr(api, name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
