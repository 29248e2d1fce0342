"""The decoding controls as a user meets them: what is set is asked for once, and what the view says is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from arplay.core.decoding.pipeline import Pipeline, decode
from arplay.core.decoding.rows import PRESETS, pipeline_of
from arplay.core.decoding.stage import Words
from arplay.core.decoding.stages import STAGES
from arplay.engine.write import FASTEST
from arplay.gui.intents import Change, Do, Report
from arplay.gui.panels.decoding import DecodingPanel
from arplay.gui.settings import Settings
from arplay.gui.view import View
from arplay.gui.widgets.caption import plain
from arplay.gui.widgets.dial import TRAVEL, Dial
from tests.panel_views import no_first_token, textbook
from tests.windows_open import put_up

Open = Callable[[View], DecodingPanel]


class Window:
    """Answers every Change as the window does: with a new view, at once."""

    def __init__(self, panel: DecodingPanel, view: View) -> None:
        self.panel, self.view = panel, view
        self.seen: list[object] = []
        panel.intent.connect(self.answer)
        panel.show_view(view)

    def answer(self, intent: object) -> None:
        self.seen.append(intent)
        if isinstance(intent, Change):
            self.view = replace(self.view, settings=intent.settings)
            self.panel.show_view(self.view)

    @property
    def decoding(self) -> Pipeline:
        return self.view.settings.decoding


@pytest.fixture
def panel(qtbot: QtBot) -> DecodingPanel:
    return put_up(qtbot, DecodingPanel(), 250, 640)


def view(decoding: Pipeline = Pipeline()) -> View:
    return replace(textbook(), settings=Settings(decoding=decoding))


def write(qtbot: QtBot, dial: Dial, text: str) -> None:
    dial.field.setFocus()
    dial.field.selectAll()
    qtbot.keyClicks(dial.field, text)
    qtbot.keyClick(dial.field, Qt.Key.Key_Return)


def test_what_is_written_is_what_is_asked_for(panel: DecodingPanel, qtbot: QtBot) -> None:
    window = Window(panel, view())
    write(qtbot, panel.dials["temperature"], "0.85")
    write(qtbot, panel.dials["top-k"], "40")
    write(qtbot, panel.dials["top-p"], "0.925")
    write(qtbot, panel.dials["min-p"], "0.0125")
    assert window.decoding == Pipeline.of(temperature=0.85, top_k=40, top_p=0.925, min_p=0.0125)
    assert len(window.seen) == 4
    assert isinstance(dict(window.decoding.stages)["top-k"][0], int)


@pytest.mark.parametrize("name", ["temperature", "top-k", "top-p", "min-p"])
def test_slider_and_field_agree(panel: DecodingPanel, name: str) -> None:
    window = Window(panel, view())
    dial: Dial = panel.dials[name]
    for position in (900, 250, 500, 999):
        dial.slider.setValue(position)
        (value,) = dict(window.decoding.stages).get(name, (STAGES[name].fields[0].neutral,))
        assert value == pytest.approx(dial.field.value())
        asked = len(window.seen)
        dial.field.setValue(dial.field.value())  # nothing new: nothing is asked and nothing moves
        panel.show_view(window.view)
        assert dial.slider.value() == position and len(window.seen) == asked


@pytest.mark.parametrize("name", ["temperature", "top-k", "top-p", "min-p"])
def test_a_value_of_the_view_moves_the_slider_to_its_place(panel: DecodingPanel, name: str) -> None:
    window = Window(panel, view())
    dial: Dial = panel.dials[name]
    value = {"temperature": 1.5, "top-k": 2, "top-p": 0.5, "min-p": 0.25}[name]
    panel.show_view(view(Pipeline().put(name, value)))
    assert window.seen == []
    assert dial.field.value() == value
    assert dial.slider.value() == round(TRAVEL * dial.scale.travel(value))
    assert dial.scale.value(dial.slider.value() / TRAVEL) == pytest.approx(value, abs=0.002)


def test_double_click_switches_off_in_words(panel: DecodingPanel, qtbot: QtBot) -> None:
    window = Window(panel, view(Pipeline.of(temperature=0.5, top_p=0.8)))
    qtbot.mouseDClick(panel.dials["top-p"].slider, Qt.MouseButton.LeftButton)
    assert window.decoding == Pipeline.of(temperature=0.5)
    assert panel.dials["top-p"].field.text() == "off"
    qtbot.mouseDClick(panel.dials["temperature"], Qt.MouseButton.LeftButton, pos=QPoint(4, 4))
    assert window.decoding == Pipeline()
    write(qtbot, panel.dials["top-k"], "5")
    write(qtbot, panel.dials["top-k"], "off")
    assert window.decoding == Pipeline()


def test_news_do_not_disturb_what_is_being_written(panel: DecodingPanel, qtbot: QtBot) -> None:
    window = Window(panel, view())
    field = panel.dials["temperature"].field
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, "0.3")
    panel.show_view(replace(window.view, caret=0, playing=True))
    assert field.text() == "0.3"
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert window.decoding == Pipeline.of(temperature=0.3)


def test_dragging_is_followed_and_never_jumps(panel: DecodingPanel, qtbot: QtBot) -> None:
    start = view()
    window = Window(panel, start)
    slider = panel.dials["temperature"].slider
    middle = slider.rect().center()
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=middle)
    places = []
    for x in range(10, 60, 10):
        qtbot.mouseMove(slider, middle + QPoint(x, 0))
        places.append(slider.value())
        panel.show_view(replace(window.view, caret=0))  # other news while the mouse is down
        assert slider.value() == places[-1]
    assert places == sorted(places) and places[-1] > places[0]
    panel.show_view(start)  # a late view with the old value
    assert slider.value() == places[-1]
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=middle + QPoint(50, 0))


def entry(menu: QMenu | None, name: str) -> QAction:
    assert menu is not None
    menu.aboutToShow.emit()
    every = [action for part in (menu, *menu.findChildren(QMenu)) for action in part.actions()]
    return next(action for action in every if action.text() == name and not action.isSeparator())


def test_presets(panel: DecodingPanel) -> None:
    window = Window(panel, view(Pipeline.of(temperature=0.9)))
    assert panel.presets.name == "Own stages"
    for name, (words, rows) in PRESETS.items():
        action = entry(panel.presets.menu(), name)
        assert action.toolTip() == plain(words)
        action.trigger()
        assert window.view.settings.rows == rows and window.decoding == pipeline_of(rows)
        assert panel.presets.name == name and entry(panel.presets.menu(), name).isChecked()
        assert [row.stage.name for row in panel.stages.rows] == [row.stage for row in rows]
    asked = len(window.seen)
    entry(panel.presets.menu(), "llama.cpp").trigger()  # once more: nothing is asked
    assert len(window.seen) == asked
    entry(panel.presets.menu(), "Reset").trigger()
    assert window.decoding == Pipeline() and list(panel.dials) == ["temperature", "top-k", "top-p", "min-p"]


def test_greedy_disables_sampling_and_says_so(panel: DecodingPanel, qtbot: QtBot) -> None:
    window = Window(panel, view(Pipeline.of(temperature=0.7)))
    qtbot.mouseClick(panel.modes.button(1), Qt.MouseButton.LeftButton)
    assert window.decoding == Pipeline.of(greedy=True, temperature=0.7)
    for widget in (*(dial.slider for dial in panel.dials.values()), panel.run.seed, panel.run.reroll):
        assert not widget.isEnabled() and "Greedy" in widget.toolTip()
    qtbot.mouseClick(panel.modes.button(0), Qt.MouseButton.LeftButton)
    assert window.decoding == Pipeline.of(temperature=0.7)
    for widget in (*(dial.slider for dial in panel.dials.values()), panel.run.seed, panel.run.reroll):
        assert widget.isEnabled() and "Greedy takes" not in widget.toolTip()


def told(panel: DecodingPanel) -> dict[str, str]:
    """What stands below the stages that did something."""
    return {row.stage.name: row.did.full for row in panel.stages.rows if row.did.full}


def test_each_stage_tells_what_it_did(panel: DecodingPanel, qtbot: QtBot) -> None:
    shown = view(Pipeline.of(temperature=0.8, top_k=2))
    assert shown.answer is not None and shown.answer.distribution is not None
    decoded = decode(shown.answer.distribution, shown.settings.decoding)
    panel.show_view(replace(shown, decoded=decoded))
    heat, top = decoded.traces
    assert told(panel) == {"temperature": "3 left", "top-k": f"2 left · {100 * top.removed:.2f}% removed"}
    row = panel.stages.rows[0]
    assert not row.more.isVisible()
    qtbot.mouseClick(row.open, Qt.MouseButton.LeftButton)
    assert row.more.isVisible() and heat.entropies is not None
    for value in heat.entropies:
        assert f"{value:.3f}" in row.facts.text()
    panel.show_view(replace(shown, decoded=None))
    assert told(panel) == {}


def test_a_stage_is_switched_off_and_on_again_with_its_number(panel: DecodingPanel, qtbot: QtBot) -> None:
    window = Window(panel, view(Pipeline.of(temperature=0.5)))
    heat, top_k = panel.stages.rows[:2]
    assert heat.switch.isChecked() and not top_k.switch.isChecked()
    qtbot.mouseClick(heat.switch, Qt.MouseButton.LeftButton)
    assert window.decoding == Pipeline() and heat.inputs[0].field.text() == "0.50" and told(panel)
    qtbot.mouseClick(heat.switch, Qt.MouseButton.LeftButton)
    assert window.decoding == Pipeline.of(temperature=0.5)
    qtbot.mouseClick(top_k.switch, Qt.MouseButton.LeftButton)  # which had none: it gets a useful one
    assert window.decoding == Pipeline.of(temperature=0.5, top_k=40)


@pytest.mark.parametrize("name", [name for name, stage in STAGES.items() if stage.fields])
def test_every_stage_can_be_added_moved_and_removed(panel: DecodingPanel, qtbot: QtBot, name: str) -> None:
    window = Window(panel, view())
    action = entry(panel.add.menu(), STAGES[name].title)
    assert action.toolTip() == plain(STAGES[name].does)
    action.trigger()
    row = panel.stages.rows[-1]
    assert row.stage.name == name and len(panel.stages.rows) == 5
    assert isinstance(STAGES[name].fields[0], Words) or window.decoding.has(name), "it begins with a useful value"
    qtbot.waitUntil(lambda: row.inputs[0].field.hasFocus())
    for _ in range(6):  # more often than there are places
        qtbot.keyClick(panel.focusWidget(), Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert panel.stages.rows[0] is row and window.view.settings.rows[0].stage == name
    qtbot.keyClick(panel.focusWidget(), Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert panel.stages.rows[1] is row
    qtbot.mouseClick(row.open, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: row.remove.height() > 10)
    qtbot.mouseClick(row.remove, Qt.MouseButton.LeftButton)
    assert len(panel.stages.rows) == 4 and window.decoding == Pipeline()


def test_a_row_is_dragged_past_others_and_back(panel: DecodingPanel, qtbot: QtBot) -> None:
    window = Window(panel, view(Pipeline.of(temperature=0.5, min_p=0.1)))
    row = panel.stages.rows[0]
    handle = row.handle
    qtbot.mousePress(handle, Qt.MouseButton.LeftButton)
    for y in range(0, panel.stages.height(), 10):
        qtbot.mouseMove(handle, handle.mapFromGlobal(panel.stages.mapToGlobal(QPoint(8, y))))
    assert [each.stage for each in window.view.settings.rows] == ["top-k", "top-p", "min-p", "temperature"]
    assert window.decoding.spelled == "min-p:0.1,temperature:0.5"
    for y in range(panel.stages.height(), -10, -10):
        qtbot.mouseMove(handle, handle.mapFromGlobal(panel.stages.mapToGlobal(QPoint(8, y))))
    qtbot.mouseRelease(handle, Qt.MouseButton.LeftButton)
    assert window.decoding.spelled == "temperature:0.5,min-p:0.1" and panel.stages.rows[0] is row


def test_a_number_that_a_slider_does_not_reach_is_shown_as_it_is(panel: DecodingPanel) -> None:
    window = Window(panel, view())
    for spelled, text in (("presence:-7", "-7.00"), ("top-p:0.0005", "0.0005"), ("temperature:50", "50.00")):
        window.panel.show_view(view(Pipeline(spelled)))
        assert panel.dials[spelled.partition(":")[0]].field.text() == text
    assert window.seen == []


def test_buttons(panel: DecodingPanel, qtbot: QtBot) -> None:
    window = Window(panel, view())
    for button in (panel.step, panel.rewind, panel.run.reroll, panel.play):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert panel.play.text() == "Play"
    panel.show_view(replace(window.view, playing=True))
    assert panel.play.text() == "Pause"
    qtbot.mouseClick(panel.play, Qt.MouseButton.LeftButton)
    done = [intent for intent in window.seen if isinstance(intent, Do)]
    assert done == [Do("step"), Do("rewind"), Do("reroll"), Do("play"), Do("pause")]


def test_seed_steps_speed_and_stop(panel: DecodingPanel, qtbot: QtBot) -> None:
    window = Window(panel, view())
    panel.run.seed.selectAll()
    qtbot.keyClicks(panel.run.seed, str(2**64 - 1))
    qtbot.keyClick(panel.run.seed, Qt.Key.Key_Return)
    panel.run.seed.selectAll()
    qtbot.keyClicks(panel.run.seed, str(2**64))  # too large: what was there comes back
    qtbot.keyClick(panel.run.seed, Qt.Key.Key_Return)
    assert window.view.settings.seed == 2**64 - 1 and panel.run.seed.text() == str(2**64 - 1)
    for field, text in ((panel.run.steps, "12"), (panel.run.speed, "3")):
        field.setFocus()
        field.selectAll()
        qtbot.keyClicks(field, text)
        qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.mouseClick(panel.run.stop, Qt.MouseButton.LeftButton, pos=QPoint(8, panel.run.stop.height() // 2))
    settings = window.view.settings
    assert (settings.play_steps, settings.play_per_second, settings.stop_at_eos) == (12, 3.0, False)
    assert len(window.seen) == 5  # and why the second seed was none
    panel.run.speed.setValue(panel.run.speed.maximum())
    assert panel.run.speed.text() == "200+" and window.view.settings.play_per_second == FASTEST
    panel.run.speed.stepBy(-1)
    assert panel.run.speed.text() == "199"


def test_a_rule_that_cannot_be_is_told_and_a_chosen_one_is_in_sight(panel: DecodingPanel, qtbot: QtBot) -> None:
    panel.resize(250, 520)
    window, row = Window(panel, view()), panel.run.rule
    assert row.at.visibleRegion().isEmpty()
    row.what.setCurrentIndex(row.what.findData("p"))
    row.what.activated.emit(row.what.currentIndex())
    assert [(rule.what, rule.at) for rule in window.view.settings.watch] == [("p", 0.01)]
    qtbot.waitUntil(lambda: row.at.visibleRegion().boundingRect().height() == row.at.height())
    for wrong, cause in (("much", "“much” is no number"), ("2", "2.0 is no threshold of p")):
        row.at.setFocus()
        row.at.setText(wrong)
        qtbot.keyClick(row.at, Qt.Key.Key_Return)
        told = window.seen[-1]
        assert isinstance(told, Report) and told.cause == cause
        assert row.at.text() == "0.01", "what was there stays"
    panel.run.seed.setFocus()
    panel.run.seed.setText("-1")
    qtbot.keyClick(panel.run.seed, Qt.Key.Key_Return)
    told = window.seen[-1]
    assert isinstance(told, Report) and told.cause == "“-1” is no seed" and panel.run.seed.text() == "0"


def test_the_view_is_shown_and_not_echoed(panel: DecodingPanel) -> None:
    window = Window(panel, view())
    other = Settings(decoding=Pipeline.of(temperature=3.25, top_k=7), seed=42, play_steps=5, play_per_second=3)
    panel.show_view(replace(textbook(), settings=other))
    assert window.seen == []
    assert panel.dials["temperature"].field.text() == "3.25" and panel.dials["top-k"].field.text() == "7"
    assert panel.dials["temperature"].slider.value() == TRAVEL  # past the end of the slider, exact in the field
    assert (panel.run.seed.text(), panel.run.steps.value(), panel.run.speed.value()) == ("42", 5, 3)


def test_nothing_to_choose_from(panel: DecodingPanel) -> None:
    panel.show_view(View())
    assert not panel.step.isEnabled() and not panel.play.isEnabled()
    assert panel.step.toolTip() == "No model is loaded yet: choose one in the Model menu."
    assert not panel.rewind.isEnabled()
    panel.show_view(no_first_token())
    assert not panel.step.isEnabled() and "empty text" in panel.step.toolTip()
    panel.show_view(view())
    assert panel.step.isEnabled() and panel.rewind.isEnabled()


def test_last_step_in_one_line(panel: DecodingPanel) -> None:
    shown = textbook()
    panel.show_view(shown)
    assert shown.step is not None and shown.loaded is not None
    text = shown.loaded.vocabulary.token(shown.step.id).text
    assert panel.drawn.full.startswith(f"u = {shown.step.u:.4f} → {text} (")


def test_everything_fits_and_can_be_reached_by_tab(panel: DecodingPanel, qtbot: QtBot) -> None:
    panel.show_view(view(Pipeline.of(temperature=0.8)))
    inside = panel.run.stop.mapTo(panel, QPoint(0, panel.run.stop.height())).y()
    assert inside <= panel.step.mapTo(panel, QPoint(0, 0)).y()
    assert panel.run.reroll.mapTo(panel, QPoint(panel.run.reroll.width(), 0)).x() <= panel.width()
    reached = []
    panel.modes.button(0).setFocus()
    for _ in range(60):
        reached.append(panel.focusWidget())
        qtbot.keyClick(panel.focusWidget(), Qt.Key.Key_Tab)
    wanted = [dial.field for dial in panel.dials.values()]  # a slider is for the mouse: its field says the value
    wanted += [panel.run.seed, panel.run.reroll, panel.run.steps, panel.run.speed, panel.run.stop]
    wanted += [panel.step, panel.rewind, panel.play, panel.presets, panel.add]
    wanted += [part for row in panel.stages.rows for part in (row.switch, row.open)]
    assert [widget for widget in wanted if widget not in reached] == []
    order = [
        reached.index(widget) for widget in (panel.presets, panel.dials["min-p"].field, panel.run.seed, panel.step)
    ]
    assert order == sorted(order)
