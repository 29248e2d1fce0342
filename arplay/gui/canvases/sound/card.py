"""What the hover card of a sample says."""

from __future__ import annotations

import math
from dataclasses import replace

from arplay.core.chain import Ledger
from arplay.core.format import number
from arplay.core.modalities.base import TokenSet
from arplay.core.modalities.sound import EncodedSound, Sound
from arplay.gui.settings import Unit
from arplay.gui.widgets.heat.card import CardContent, content


def of_sample(sound: Sound, index: int) -> CardContent:
    """Of one that is not scored."""
    id = sound.samples[index]
    amplitude = float(sound.tokens.amplitudes[id])
    return CardContent(sound.tokens.label(id), _where(index), _lines(index, sound.rate, amplitude), ())


def of_scored(ledger: Ledger, index: int, tokens: TokenSet | None, unit: Unit) -> CardContent:
    encoded = ledger.encoded
    assert isinstance(encoded, EncodedSound), "a sound"
    made = content(ledger, index, tokens, unit)
    own = _lines(encoded.first + index, encoded.tokens.rate, float(encoded.tokens.amplitudes[encoded.ids[index]]))
    nats = -float(ledger.logprob[index])
    scored = index < ledger.done and not math.isnan(nats)
    surprisal = (("surprisal", f"{number(nats / math.log(2))} bits"),) if scored else ()
    told = tuple(line for line in made.lines if line[0] != "bytes")
    return replace(made, where=_where(encoded.first + index), lines=(*own, *surprisal, *told))


def _where(index: int) -> str:
    return f"sample {index + 1:,}"


def _lines(index: int, rate: int, amplitude: float) -> tuple[tuple[str, str], ...]:
    return ("time", f"{1000 * index / rate:,.3f} ms"), ("amplitude", number(amplitude))
