"""How a run is told: its state, its figures, how much is left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from arplay.core.format import number, part_percent, rough
from arplay.engine.trainer import Plan, Report, TrainingState
from arplay.gui.training.losses import LossUnit, held_out_loss, perplexity, training_loss, unit_words
from arplay.gui.widgets.figure_row import Figure
from arplay.gui.widgets.labels import capital
from arplay.models.family import resolve

_STATES = {
    "starting": "Getting ready",
    "running": "Training",
    "pausing": "Pausing",
    "paused": "Paused",
    "done": "Done",
    "failed": "Stopped by a problem",
}

NO_STEPS = (
    "There is nothing to replay: a model of this family is counted in one go.\n\n"
    "It has no weights that change step by step, as those of a network do."
)
NOT_OF_TEXT = (
    "There is nothing to replay: snapshots are asked about a text, and this model has learnt something else.\n\n"
    "Open it in the playground, which shows what its newest snapshot expects."
)


def share(state: TrainingState) -> float | None:
    """Part of the steps that is trained, 0..1; None where nobody knows yet."""
    if state.status == "done":
        return 1.0
    reports = kept(state)
    return reports[-1].step / reports[-1].steps if reports and reports[-1].steps else None


def kept(state: TrainingState) -> Sequence[Report]:
    """The reports that hold: what came after the checkpoint of a run that was stopped at once is done again."""
    last = state.goes_on_from
    return state.reports if last is None else [report for report in state.reports if report.tokens <= last]


def name(state: TrainingState) -> str:
    """The status in a word or two."""
    return "Stopped" if state.status == "paused" and state.goes_on_from is not None else _STATES[state.status]


def status(state: TrainingState) -> str:
    """What is being done, in one line."""
    done, named = share(state), name(state)
    words = [f"{named}, {part_percent(done)}" if done is not None and state.status != "done" else named]
    if state.status in ("starting", "pausing") and state.what:
        words.append(capital(state.what))
    if state.goes_on_from is not None:
        words.append(f"It goes on from {state.goes_on_from:,} tokens" if state.goes_on_from else "It begins again")
    if state.plan is not None:
        words.append(about(state.plan))
    return " · ".join(words)


def about(plan: Plan) -> str:
    """The model in a few words."""
    shape = f"order {plan.order}" if plan.training.counted else f"{plan.layers} layers of {plan.width}"
    parts = [plan.training.label, shape, f"{plan.vocabulary:,} tokens of vocabulary"]
    parts += [] if plan.training.counted else [f"context {plan.context:,}"]
    return f"{', '.join(parts)}, seed {plan.seed}"


def figures(state: TrainingState, unit: LossUnit) -> tuple[Figure, ...]:
    """The newest report that holds, and the newest figure of held-out text."""
    reports = kept(state)
    if not reports:
        return ()
    newest, words = reports[-1], unit_words(unit, state.plan)
    measured = [report for report in reports if report.held_out is not None]
    found = []
    if measured and (held := held_out_loss(measured[-1], unit)) is not None:
        found.append(Figure(number(held, 3), f"held-out, {words}", "Mean loss of what is not trained on"))
    found.append(
        Figure(number(training_loss(newest, unit), 3), f"training, {words}", "Mean loss since the last report")
    )
    if measured and measured[-1].held_out is not None:
        value = perplexity(measured[-1].held_out)
        found.append(Figure(number(value, 1), "perplexity", "Of what is held out, per token: exp of its loss in nats"))
    planned = f" of {state.plan.tokens:,}" if state.plan is not None and not state.plan.training.counted else ""
    found.append(Figure(f"{newest.tokens:,}{planned}", "tokens read", "Predictions that the model was trained on"))
    if state.status == "running":
        speed = number(newest.tokens_per_second, 0)
        found.append(Figure(speed, "tokens/s", "Tokens trained on per second, since the last report"))
        found.append(Figure(rough(newest.seconds_left), "left", "At the speed of the last report"))
    else:
        found.append(Figure(rough(newest.seconds), "trained", "Seconds of training, pauses left out"))
    return tuple(found)


def overfitting(state: TrainingState) -> str:
    """A sentence for the case that the held-out loss has risen again by 3 % of its least; else nothing."""
    held = [(report.held_out, report.tokens) for report in state.reports if report.held_out is not None]
    if not held or held[-1][0] < 1.03 * min(held)[0]:
        return ""
    since = min(held)[1]
    return (
        f"Held-out loss rises again since {since:,} tokens: the model learns by heart what it reads. "
        "More of it or less time would help."
    )


def summary(state: TrainingState) -> str:
    """One line for a list: how it stands, when, how much it read and how good it is."""
    done, named, reports = share(state), name(state), kept(state)
    words = [f"{named} at {part_percent(done)}" if state.status in ("running", "paused") and done else named]
    if state.status == "failed" and state.problem is not None:
        words.append(capital(state.problem[0]))
    if state.plan is not None:
        words.append(state.plan.training.label)
    if (when := changed(state)) is not None:
        words.append(f"{when:%d %b %Y, %H:%M}")
    if reports:
        words.append(f"{reports[-1].tokens:,} tokens")
    held = [report.held_out_bits_per_byte for report in reports if report.held_out_bits_per_byte is not None]
    if held:
        words.append(f"{number(held[-1], 2)} {unit_words('bits per byte', state.plan)}")
    return " · ".join(words)


def changed(state: TrainingState) -> datetime | None:
    """When the run last wrote a report; None where it cannot be told."""
    try:
        return datetime.fromtimestamp((state.folder / "training" / "log.jsonl").stat().st_mtime)
    except OSError:
        return None


def nothing_yet(state: TrainingState | None) -> str:
    """What an empty chart says."""
    if state is not None and state.plan is not None and state.plan.training.counted:
        return f"{capital(state.plan.training.kind)} is counted in one go: there is no curve."
    if state is not None and state.status == "failed":
        return "There is no curve: the run ended before its first report."
    return "The curve begins with the first report of the run."


def of_text(state: TrainingState) -> bool:
    """Whether the model has learnt from text, as far as that is known."""
    return state.plan is None or resolve(state.plan.training.learns).typed


def no_snapshots(state: TrainingState) -> str:
    """Why there is nothing to replay."""
    if state.problem is not None:
        return ".\n".join(capital(part) for part in state.problem) + "."
    if state.plan is not None and state.plan.training.counted:
        return NO_STEPS
    if not of_text(state):
        return NOT_OF_TEXT
    doing = f"{capital(state.what)}…\n\n" if state.what else ""
    return f"{doing}The first snapshot is taken before the first step, and appears here as soon as it is written."
