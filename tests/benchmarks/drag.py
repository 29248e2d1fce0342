"""A hand drags the dials of decoding, in the real window: ``python -m tests.benchmarks.drag``.

With ``english``, and with a tiny random model of 256,000 tokens. What is measured is what the window's thread computes
for a change until all is painted, beside decoding alone with the same settings.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from pathlib import Path

from tests.benchmarks.harness import row, wait
from tests.tiny_models import library, network, save_tokenizer, tokenizer

V, CHANGES, BAR = 256_000, 60, 1000 / 60
DIALS = ("temperature", "top-p", "min-p", "top-k")


def large_vocabulary(folder: Path) -> str:
    described = json.loads(tokenizer().to_str())
    known = described["model"]["vocab"]
    known.update({f"w{id}": id for id in range(len(known), V)})
    with library.bars(None):
        network("llama", vocab_size=V).save_pretrained(folder)
    save_tokenizer(folder, type(tokenizer()).from_str(json.dumps(described)))
    return str(folder)


def main() -> None:
    from arplay.core.decoding.pipeline import decode
    from arplay.core.modalities.text import Text
    from arplay.gui import app as starting
    from arplay.gui.options import WindowOptions

    app = starting.application()
    window = starting._window(WindowOptions())
    window.store.set_flag("tour_seen", True)
    window.resize(1280, 800)
    window.show()
    play, panel = window.playground, window.panels["decoding"]

    def change(dial: object, share: float) -> tuple[float, float]:
        """Milliseconds of the window's thread for it, and of decoding alone."""
        began = time.thread_time()
        dial.slider.setValue(round(dial.slider.maximum() * share))  # type: ignore[attr-defined]
        for _ in range(2):  # what a change brings about later in the same turn belongs to it
            app.processEvents()
        took, answer = time.thread_time() - began, play.view.answer
        assert answer is not None and answer.distribution is not None
        began = time.thread_time()
        decode(answer.distribution, play.view.settings.decoding)
        return 1000 * took, 1000 * (time.thread_time() - began)

    with tempfile.TemporaryDirectory() as folder:
        for model in ("english", large_vocabulary(Path(folder))):
            play.load_model(model)
            wait(lambda: play.view.loaded is not None and not play.view.stale)
            play.open_document(Text.of(b"The cat sat on the mat, and the dog sat"), at_end=True)
            wait(lambda: not play.view.stale and not play.busy_scoring())
            for name in DIALS:  # each beside those before it
                dial = panel.dials[name]  # type: ignore[attr-defined]
                times = [change(dial, 0.3 + 0.4 * at / CHANGES) for at in range(CHANGES)]
                took, alone = (statistics.median(each) for each in zip(*times, strict=True))
                size = len(play.view.loaded.vocabulary) if play.view.loaded is not None else 0
                row(f"dragging {name}, V = {size:,}", took, "ms of CPU a change", BAR, f"decoding alone: {alone:.1f}")
    play.close()


main()
