"""Chat layouts by their special tokens: what is written, what is refused, and the way through the window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialogButtonBox, QLabel
from pytestqt.qtbot import QtBot

from arplay.core.errors import Problem
from arplay.core.modalities.base import TokenSet
from arplay.core.modalities.chats import LAYOUTS, Layout, chat, layout_of
from arplay.core.modalities.runs import Fixed, Typed
from arplay.core.modalities.text import Text
from arplay.core.modalities.vocabulary import Vocabulary
from arplay.gui.canvases.text.new_chat import NewChat
from arplay.gui.intents import Do
from tests.windows_open import Open, notice, opened, settle

__all__ = ["opened"]

WRITTEN = {
    "ChatML": "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU<|im_end|>\n<|im_start|>assistant\nR",
    "Llama 3": (
        "<|start_header_id|>system<|end_header_id|>\n\nS<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n"
        "U<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nR"
    ),
    "Gemma": "<start_of_turn>user\nS\n\nU<end_of_turn>\n<start_of_turn>model\nR",
    "Mistral": "[INST] S\n\nU[/INST] R",
    "Phi": "<|system|>\nS<|end|>\n<|user|>\nU<|end|>\n<|assistant|>\nR",
}
layouts = pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)


def vocabulary(marks: tuple[str, ...], special: bool = True) -> Vocabulary:
    pieces = tuple(bytes([byte]) for byte in range(256)) + tuple(mark.encode() for mark in marks)
    return Vocabulary("chat", pieces, frozenset(range(256, len(pieces))) if special else frozenset())


@layouts
def test_each_is_written_as_its_models_read_it(layout: Layout) -> None:
    tokens = vocabulary(layout.marks)
    assert layout_of(tokens) is layout
    assert chat(tokens, "S", "U", "R").data.decode() == WRITTEN[layout.name]
    alone = chat(tokens, "", "U", "").data.decode()
    assert "system" not in alone and "U" in alone and not alone.endswith(("R", " "))


@layouts
def test_without_one_of_its_special_tokens_it_is_refused(layout: Layout) -> None:
    for gone in layout.marks:
        with pytest.raises(Problem, match="no chat layout"):
            layout_of(vocabulary(tuple(mark for mark in layout.marks if mark != gone)))
    with pytest.raises(Problem):  # letters that happen to be one token are no special token
        layout_of(vocabulary(layout.marks, special=False))


@given(st.sampled_from(LAYOUTS), st.text(), st.text(), st.text(), st.data())
def test_what_was_said_is_never_a_special_token(
    layout: Layout, system: str, user: str, reply: str, data: st.DataObject
) -> None:
    mark = data.draw(st.sampled_from(layout.marks))
    tokens = vocabulary(layout.marks)
    plain, forged = chat(tokens, "S", "U", "R"), chat(tokens, "S" + system, user + mark, mark + reply)
    kept = [[id for run in each.runs if isinstance(run, Fixed) for id in run.ids] for each in (plain, forged)]
    assert kept[0] == kept[1] and len(kept[0]) >= 2


def test_the_form_tells_three_texts_and_opening_them_keeps_the_ids(opened: Open, qtbot: QtBot) -> None:
    window = opened(model="abc")
    tokens = vocabulary(LAYOUTS[0].marks)
    form = NewChat(tokens, window)
    chosen: list[Callable[[TokenSet], Text]] = []
    form.chosen.connect(chosen.append)
    form.open()
    for field, text in zip(form.fields, "SUR", strict=True):
        qtbot.keyClicks(field, text)
    buttons = form.findChild(QDialogButtonBox)
    assert buttons is not None
    qtbot.mouseClick(buttons.button(QDialogButtonBox.StandardButton.Ok), Qt.MouseButton.LeftButton)
    (written,) = chosen
    document = written(tokens)
    assert document == chat(tokens, "S", "U", "R")
    assert window.playground.open_document(document, at_end=True)
    assert window.playground.document == document and any(isinstance(run, Fixed) for run in document.runs)
    window.playground.undo_stack.undo()
    assert window.playground.document == Text.of(b"BAC")


def test_ctrl_enter_in_a_field_is_ok(opened: Open, qtbot: QtBot) -> None:
    form = NewChat(vocabulary(LAYOUTS[0].marks), opened(model="abc"))
    chosen: list[Callable[[TokenSet], Text]] = []
    form.chosen.connect(chosen.append)
    form.open()
    form.activateWindow()
    qtbot.waitUntil(form.isActiveWindow)
    qtbot.keyClick(form.fields[1], Qt.Key.Key_Return)
    assert not chosen and form.fields[1].toPlainText() == "\n"  # negative control: a line of what is said
    qtbot.keyClick(form.fields[1], Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: len(chosen) == 1)


def test_marks_are_no_departure_and_stay_when_the_text_is_read_anew(opened: Open, qtbot: QtBot) -> None:
    window = opened(model="english", text=b"Once")
    play = window.playground
    assert play.view.loaded is not None and play.view.loaded.eos is not None
    tokens = play.view.loaded.vocabulary
    end = tokens.token(play.view.loaded.eos)
    runs = (Typed(b"Once upon"), Fixed(tokens.name, (end.id,), (end.data,)), Typed(b" a time"))
    play.open_document(Text(runs), at_end=True)
    settle(window, qtbot)
    assert play.view.departures == ()
    letters = tuple((tokens.named(letter), letter.encode()) for letter in " now")
    ids, data = zip(*letters, strict=True)
    play.open_document(Text((*runs, Fixed(tokens.name, ids, data))), at_end=True)
    settle(window, qtbot)
    assert play.view.departures, "negative control: letters that are a word"
    play.handle(Do("retokenise"))
    settle(window, qtbot)
    assert play.view.departures == ()
    assert play.document.runs == (*runs[:2], Typed(b" a time now"))


def test_half_a_character_is_refused() -> None:
    with pytest.raises(Problem, match="half a character"):
        chat(vocabulary(LAYOUTS[0].marks), "", "\ud800", "")


def test_a_model_without_them_is_told_so_in_the_window(opened: Open, qtbot: QtBot) -> None:
    window = opened(model="abc")
    file = window.menuBar().actions()[0].menu()
    action = next(each for each in file.actions() if each.text() == "New c&hat…")  # type: ignore[attr-defined]
    action.trigger()
    qtbot.waitUntil(lambda: "no chat layout" in notice(window))
    window.playground.load_model("xo")
    qtbot.waitUntil(lambda: not window.playground.loads)
    settle(window, qtbot)
    action.trigger()
    assert "picture is no chat" in notice(window)


def test_two_bos_are_told(opened: Open, qtbot: QtBot) -> None:
    window = opened(model="english", text=b"Once")
    play = window.playground
    assert play.view.loaded is not None and play.view.loaded.bos is not None

    def told() -> bool:
        return any("BOS stands twice" in label.text() for label in window.findChildren(QLabel))

    assert not told()  # negative control: the tokenizer adds one, and the text has none
    first, _ = play.document.take(0, play.view.loaded.bos, play.view.loaded.vocabulary)
    play.open_document(play.document.apply(first))
    settle(window, qtbot)
    qtbot.waitUntil(told)
    window.change(reading=replace(play.view.settings.reading, first_token="unscored"))
    settle(window, qtbot)
    qtbot.waitUntil(lambda: not told())
