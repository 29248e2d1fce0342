"""Help: the keys, what each panel shows, and about the program."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QScrollArea, QWidget

from arplay.gui.contract import Panel
from arplay.gui.theme import SPACE
from arplay.gui.widgets.caption import Label
from arplay.gui.widgets.layouts import in_column
from arplay.version import __version__

KEYS = (
    (
        "Everywhere",
        (
            ("Ctrl+Space", "step: sample a token"),
            ("Alt+←", "rewind one token"),
            ("Ctrl+P", "play or pause"),
            ("Ctrl+R", "re-roll the last sample with the next seed"),
            ("Ctrl+Z / Ctrl+Shift+Z", "undo and redo typing, picks, samples, branches and opened texts"),
            ("Ctrl+B / Ctrl+Shift+B", "branch / bring back the text that followed a pick"),
            ("Ctrl+L / Ctrl+K", "go to the text / to the chart"),
            ("Ctrl+1 … Ctrl+9", "go to one of the first nine panels: the menu View, Go to, has their numbers"),
            ("F6 / Shift+F6", "the next and the former panel"),
            ("Ctrl+M", "all models: load one, get one from the hub, remove one"),
            ("Ctrl+T", "train a model on your text"),
            ("Ctrl+N / Ctrl+O / Ctrl+S", "new text / open one / save it"),
            ("Ctrl+E", "export the chart"),
            ("Ctrl++ / Ctrl+- / Ctrl+0", "larger text, smaller text, the usual size (or Ctrl and the wheel)"),
            ("F11", "the whole window for one panel (or double-click its title); Esc: back"),
            ("F1", "this list"),
        ),
    ),
    (
        "In the chart, and in the panel Decoding",
        (
            ("↑ ↓", "choose a token (in the chart)"),
            ("→ or Enter", "take the chosen token (in Decoding: → takes the most probable one)"),
            ("1 to 9", "take the token of that rank"),
            ("←", "rewind one token"),
            ("Space", "step: sample a token"),
            ("Shift+→", "sample up to the next word"),
            ("B", "branch: back to the last pick, and the next best token there that was not tried"),
            ("P", "play or pause"),
        ),
    ),
    (
        "In the strip of the cumulative distribution",
        (("← / →", "hold u, and move it by 0.01 (Shift: by 0.001); Esc, a double-click or a re-roll lets it go"),),
    ),
    (
        "In a stage of decoding",
        (("Alt+↑ / Alt+↓", "move the stage up or down"),),
    ),
    (
        "In the text",
        (
            ("Ctrl+Enter or Alt+→", "take the most probable token"),
            ("Esc", "go to the chart"),
            (
                "Ctrl+. or Alt+click",
                "other tokens for the place of the caret, or for the token under the mouse (right click too)",
            ),
            (
                "Tab / Esc",
                "take the next word of the ghost text / hide it (menu View; it comes with the caret at the end of "
                "the text, not with models on servers)",
            ),
            ("Ctrl+F, F3 / Shift+F3", "find in the text, the next and the former place (Esc ends the search)"),
            ("F8 / Shift+F8", "the next and the former surprising token"),
            ("Ctrl+G", "go to a token by its number"),
        ),
    ),
    (
        "In a picture",
        (
            ("← → ↑ ↓", "go to another pixel"),
            ("0 to 9, A to G", "paint the pixel with that level (Delete: take the paint off)"),
            ("Shift+Delete", "clear this pixel and all that come after it, to be drawn anew"),
            ("Ctrl+C, Ctrl+V", "copy the picture; paste one, scaled and cut into levels, which is told"),
            ("Space / Backspace", "step: sample a pixel / rewind one"),
            ("P", "play on, or stop"),
        ),
    ),
    (
        "In a sound",
        (
            ("← → / Home / End", "go to another sample (Shift: by 10 ms)"),
            ("Ctrl++ / Ctrl+- / Ctrl+0", "zoom at the line, all of the sound (or the wheel at the pointer)"),
            ("Ctrl+C, Ctrl+V", "copy the selection or all as a WAV file; paste one at the line, changes are told"),
            ("Page Up / Page Down", "go by a quarter of what is in sight"),
            ("L", "listen to what is selected, or all from the line on; stop"),
            ("Ctrl+A / Esc", "select all of it / nothing"),
            ("Space / Backspace", "step: sample the next one / rewind one"),
        ),
    ),
    (
        "In the heatmap",
        (
            ("← → ↑ ↓", "go to another token of the text (Page Up and Page Down, Home and End too)"),
            ("Tab", "go to the measures, the bounds and the mark of the legend (← → move them), and the options"),
        ),
    ),
    (
        "In tables: Words, Ledger, Plots, Comparison, sets of texts",
        (
            ("↑ ↓ / Home / End", "go to another row (Shift: select up to there)"),
            ("Enter", "go to that place of the text; in a set: show that text"),
            ("Tab, ← →, Enter", "go to the headings, along them, and sort"),
            ("Delete", "take a text out of a set, or a candidate off the list (Ctrl+Z brings it back)"),
        ),
    ),
    (
        "In plots and curves",
        (
            ("← → / Enter", "go along the points / go to that token"),
            ("+ / − / 0", "closer, further, all of it"),
        ),
    ),
    (
        "In Candidates",
        (("Enter", "in the field: add what is typed; in the list: write that one"), ("F2", "change it")),
    ),
    (
        "In Tokenizers",
        (
            ("← → ↑ ↓", "go to another token, and to another tokenizer"),
            ("Enter", "how the word of a token becomes tokens"),
            ("Space", "put or take a boundary (in Segmentations)"),
        ),
    ),
    (
        "In the tree and the blocks of the history",
        (
            ("← → ↑ ↓", "go back, on, and to the branches beside it"),
            ("Home / End", "go to the beginning, and to the end of this branch"),
            ("Enter / Ctrl+Enter", "be there at once / compare it with where you are"),
            ("F2 / * / Delete", "rename / star / prune the branch (undo brings it back)"),
            ("B", "compare the text with that state, as the base text of Comparison"),
            ("+ / − / 0", "closer, further, all of it (Shift and arrows move)"),
            ("Space / Backspace", "enlarge a block / out again"),
        ),
    ),
    (
        "In the list of models",
        (
            ("↑ ↓ and Enter", "choose a model and load it, or get it"),
            ("Delete", "remove a model, after a question"),
            ("Ctrl+F", "search"),
            ("Esc", "back to the window"),
        ),
    ),
    (
        "In the window of training",
        (
            ("Ctrl+Enter", "start the training that is set up"),
            ("← →", "go along the loss curve, or through the snapshots"),
            ("Esc", "back to the playground; a run goes on"),
        ),
    ),
    (
        "In the pages of the help",
        (
            ("Alt+← / Alt+→", "the page before, and on again"),
            ("Tab and Enter", "go to a link and follow it"),
            ("Ctrl+F, F3 / Shift+F3", "find on the page, the next and the former place (Esc ends the search)"),
        ),
    ),
)


def keyboard(parent: QWidget) -> QDialog:
    rows = "".join(
        f"<tr><td colspan=2 style='padding-top:10px'><b>{title}</b></td></tr>"
        + "".join(
            f"<tr><td style='padding:3px 24px 3px 0'><code>{keys}</code></td><td style='padding:3px 0'>{what}</td></tr>"
            for keys, what in entries
        )
        for title, entries in KEYS
    )
    return _dialog(parent, "Keyboard", f"<table>{rows}</table>")


def what_is_this(panel: Panel, parent: QWidget) -> QDialog:
    return _dialog(parent, f"What is this? {panel.title}", panel.explanation)


def about(parent: QWidget) -> QDialog:
    text = (
        f"<h3>arplay {__version__}</h3>"
        "<p>See an autoregressive model think. Everything here rests on one exact identity, the chain rule:</p>"
        "<p><i>log p(x<sub>1</sub> … x<sub>n</sub>) = Σ log p(x<sub>i</sub> | x<sub>1</sub> … x<sub>i-1</sub>)</i></p>"
        "<p>Free software under the MIT licence. It uses PySide6 (LGPL), PyTorch (BSD), transformers, "
        "tokenizers and safetensors (Apache-2.0), NumPy (BSD), and the Phosphor icons through QtAwesome (MIT).</p>"
    )
    return _dialog(parent, "About arplay", text)


def _dialog(parent: QWidget, title: str, html: str) -> QDialog:
    dialog = QDialog(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle(title)
    label = Label(html, dialog)
    label.setTextFormat(Qt.TextFormat.RichText)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setMargin(SPACE[3])
    label.setAlignment(Qt.AlignmentFlag.AlignTop)
    area = QScrollArea(dialog)
    area.setWidgetResizable(True)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setWidget(label)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, dialog)
    buttons.rejected.connect(dialog.close)
    in_column((area, 1), buttons, on=dialog, margins=None)
    dialog.resize(560, min(620, label.heightForWidth(520) + 110))
    return dialog
