"""The one place for colours, sizes and fonts. Light and dark are the same design with other values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QPalette
from PySide6.QtWidgets import QApplication

from arplay import paths
from arplay.export import colours
from arplay.gui.icons import phosphor

Choice = Literal["system", "light", "dark"]

SPACE = (4, 8, 12, 16, 24)
RADIUS = 6
ANIMATION_MS = 120
SMALL, BODY, TEXT, TITLE = 11, 13, 15, 18
"""The type scale in pixels: captions and figures, controls, the text itself, headings."""


@dataclass(frozen=True)
class Theme:
    """Design values. Text on its surfaces has a contrast of at least 4.5 (WCAG AA; a test measures it)."""

    name: Literal["light", "dark"]
    background: str
    surface: str
    raised: str
    border: str
    text: str
    muted: str
    accent: str
    on_accent: str
    accent_soft: str
    warning: str
    warning_soft: str
    fill: str
    outline: str
    heat: colours.Ramp
    cool: colours.Ramp

    def color(self, name: str, alpha: float = 1.0) -> QColor:
        return QColor(_parsed(getattr(self, name), alpha))

    def heat_color(self, t: float) -> QColor:
        """The colour of t in 0 (expected) .. 1 (surprising)."""
        return QColor(*colours.colour(self.heat, t))

    def ink_on(self, color: QColor) -> QColor:
        """Black or white, whichever can be read on ``color``: one of the two always has a contrast of 4.5."""
        return QColor("#000000" if colours.is_dark_ink(_rgb(color)) else "#ffffff")


LIGHT = Theme(
    name="light",
    background="#f3f4f6",
    surface="#ffffff",
    raised="#f8f9fb",
    border="#d9dce3",
    text="#1b1e25",
    muted="#5a6270",
    accent="#2f55d4",
    on_accent="#ffffff",
    accent_soft="#dfe6fd",
    warning="#a34a00",
    warning_soft="#fdebd7",
    fill="#8ea6f2",
    outline="#4a5160",
    heat=colours.ON_WHITE,
    cool=colours.COOL_ON_WHITE,
)

DARK = Theme(
    name="dark",
    background="#14161b",
    surface="#1b1e25",
    raised="#22262f",
    border="#363c48",
    text="#e8eaf0",
    muted="#a3abba",
    accent="#8ba6ff",
    on_accent="#10131c",
    accent_soft="#2a3558",
    warning="#f5b567",
    warning_soft="#43301a",
    fill="#5670c8",
    outline="#c3c9d6",
    heat=colours.ON_BLACK,
    cool=colours.COOL_ON_BLACK,
)


@cache
def _parsed(value: str, alpha: float) -> QColor:
    result = QColor(value)
    result.setAlphaF(alpha)
    return result


def chosen(choice: Choice) -> Theme:
    """The theme for a setting; ``system`` asks the desktop."""
    if choice == "system":
        app = QApplication.instance()
        dark = isinstance(app, QApplication) and app.styleHints().colorScheme() == Qt.ColorScheme.Dark
        return DARK if dark else LIGHT
    return DARK if choice == "dark" else LIGHT


def interface_font(pixels: int = BODY, bold: bool = False) -> QFont:
    return QFont(_font(QFontDatabase.SystemFont.GeneralFont, pixels, bold))


def fixed_font(pixels: int = TEXT) -> QFont:
    return QFont(_font(QFontDatabase.SystemFont.FixedFont, pixels))


def number_font(pixels: int = BODY, bold: bool = False) -> QFont:
    """The interface font with digits of equal width, so that right-aligned figures line up."""
    return QFont(_font(QFontDatabase.SystemFont.GeneralFont, pixels, bold, tabular=True))


@cache
def _font(kind: QFontDatabase.SystemFont, pixels: int, bold: bool = False, tabular: bool = False) -> QFont:
    """Kept, because Qt looks a font up anew for each one that is made from scratch."""
    font = QFontDatabase.systemFont(kind)
    font.setPixelSize(pixels)
    if bold:
        font.setWeight(QFont.Weight.DemiBold)
    if tabular:
        font.setFeature(QFont.Tag.fromString("tnum"), 1)
    return font


def icon(name: str, theme: Theme, color: str = "text") -> QIcon:
    """A Phosphor icon by name ("play", "arrow-left"), in a colour of the theme."""
    return phosphor(name, theme.color(color), theme.color("muted", 0.5))


def contrast(a: QColor, b: QColor) -> float:
    """WCAG 2.1 contrast ratio, 1..21."""
    return colours.contrast(_rgb(a), _rgb(b))


def _rgb(color: QColor) -> colours.Rgb:
    return color.red(), color.green(), color.blue()


def palette(theme: Theme) -> QPalette:
    roles = QPalette.ColorRole
    result = QPalette()
    for role, name in (
        (roles.Window, "background"),
        (roles.WindowText, "text"),
        (roles.Base, "surface"),
        (roles.AlternateBase, "raised"),
        (roles.Text, "text"),
        (roles.PlaceholderText, "muted"),
        (roles.Button, "raised"),
        (roles.ButtonText, "text"),
        (roles.BrightText, "warning"),
        (roles.Highlight, "accent"),
        (roles.HighlightedText, "on_accent"),
        (roles.Link, "accent"),
        (roles.ToolTipBase, "raised"),
        (roles.ToolTipText, "text"),
        (roles.Mid, "border"),
        (roles.Dark, "border"),
        (roles.Light, "raised"),
        (roles.Midlight, "raised"),
        (roles.Shadow, "border"),
    ):
        result.setColor(role, theme.color(name))
    for role in (roles.Text, roles.WindowText, roles.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, role, theme.color("muted", 0.6))
    return result


def apply(app: QApplication, theme: Theme) -> None:
    """Fusion, our palette and the one style sheet of the program; every widget is styled anew where it is another."""
    sheet, font = style_sheet(theme), interface_font()
    if (app.styleSheet(), app.font()) == (sheet, font):
        return
    if not app.styleSheet():  # the other theme's stands on it already: a fifth of a switch
        app.setStyle("Fusion")
    app.setPalette(palette(theme))
    app.setFont(font)
    app.setStyleSheet(sheet)


def style_sheet(t: Theme) -> str:
    """Widgets are styled here only. Properties: role=primary|chip|caption|title|card marks what a widget is."""
    space: Sequence[int] = SPACE
    icons = (paths.assets() / "icons").as_posix()
    return f"""
    QWidget {{ color: {t.text}; }}
    QMainWindow, QDialog {{ background: {t.background}; }}
    QMainWindow::separator {{ background: {t.background}; width: 6px; height: 6px; }}
    QMainWindow::separator:hover {{ background: {t.accent_soft}; }}
    QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }} /* a desktop gives black ones, dark theme or not */
    QToolTip {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.border}; padding: {space[1]}px; }}
    QMenuBar {{ background: {t.background}; }}
    QMenuBar::item {{ padding: 4px 8px; border-radius: 4px; background: transparent; }}
    QMenuBar::item:selected {{ background: {t.accent_soft}; }}
    QMenu {{ background: {t.surface}; border: 1px solid {t.border}; padding: 4px; }}
    QMenu::item {{ padding: 5px 24px 5px 12px; border-radius: 4px; }}
    QMenu::item:selected {{ background: {t.accent_soft}; color: {t.text}; }}
    QMenu::item:disabled {{ color: {t.muted}; }}
    QMenu::separator {{ height: 1px; background: {t.border}; margin: 4px 8px; }}
    QMenu::indicator {{ width: 14px; height: 14px; margin-left: 6px; }}
    QToolBar {{ background: {t.background}; border: none; spacing: {space[1]}px; padding: 6px 8px; }}
    QStatusBar {{ background: {t.background}; color: {t.muted}; }}
    QStatusBar QLabel {{ color: {t.muted}; font-size: {SMALL}px; padding: 0 6px; }}
    QStatusBar::item {{ border: none; }}
    QDockWidget {{ font-size: {SMALL}px; color: {t.muted}; }}
    QTabBar {{ background: transparent; }}
    QTabBar::tab {{ background: transparent; color: {t.muted}; padding: 5px 9px; border: none;
        border-bottom: 2px solid transparent; }}
    QTabBar::tab:selected {{ color: {t.text}; border-bottom: 2px solid {t.accent}; }}
    QTabBar::tab:hover {{ color: {t.text}; }}
    QTabBar::tab:selected:focus {{ background: {t.accent_soft}; border-top-left-radius: 4px;
        border-top-right-radius: 4px; }}
    QPushButton, QToolButton {{ background: {t.surface}; border: 1px solid {t.border}; border-radius: {RADIUS}px;
        padding: 5px 10px; }}
    QPushButton:hover, QToolButton:hover {{ border-color: {t.accent}; }}
    QPushButton:pressed, QToolButton:pressed, QPushButton:checked, QToolButton:checked {{ background: {t.accent_soft};
        border-color: {t.accent}; }}
    QPushButton:focus, QToolButton:focus {{ border: 1px solid {t.accent}; outline: none; }}
    QPushButton:checked:focus, QToolButton:checked:focus {{ border: 2px solid {t.accent}; padding: 4px 9px; }}
    QPushButton:disabled, QToolButton:disabled {{ color: {t.muted}; background: {t.background}; }}
    QPushButton[role="primary"] {{ background: {t.accent}; color: {t.on_accent}; border-color: {t.accent};
        font-weight: 600; }}
    QPushButton[role="primary"]:hover {{ border-color: {t.text}; }}
    QPushButton[role="primary"]:focus {{ border: 2px solid {t.text}; padding: 4px 9px; }}
    QPushButton[role="primary"]:disabled {{ background: {t.border}; color: {t.muted}; border-color: {t.border}; }}
    QPushButton[role="chip"] {{ border-radius: 10px; padding: 3px 10px; font-size: {SMALL}px; }}
    QPushButton[role="segment"] {{ border-radius: 0; color: {t.muted}; background: {t.raised}; }}
    QPushButton[role="segment"]:checked {{ color: {t.text}; background: {t.accent_soft}; font-weight: 600; }}
    QPushButton[role="segment"][side="left"] {{ border-top-left-radius: {RADIUS}px;
        border-bottom-left-radius: {RADIUS}px; }}
    QPushButton[role="segment"][side="right"] {{ border-top-right-radius: {RADIUS}px;
        border-bottom-right-radius: {RADIUS}px; }}
    QPushButton[role="segment"][side="only"] {{ border-radius: {RADIUS}px; }}
    QPushButton[role="segment"]:focus {{ border: 1px solid {t.accent}; }}
    QPushButton[role="segment"]:checked:focus {{ border: 2px solid {t.accent}; padding: 4px 9px; }}
    QPushButton[role="chip"]:checked:focus {{ padding: 2px 9px; }}
    QPushButton[role="segment"]:disabled {{ color: {t.muted}; background: {t.background}; border-color: {t.border};
        font-weight: 400; }}
    QToolButton[role="quiet"] {{ background: transparent; border: 1px solid transparent; padding: 3px; }}
    QToolButton[role="quiet"]:hover {{ background: {t.accent_soft}; }}
    QToolButton[role="quiet"]:focus {{ border: 1px solid {t.accent}; }}
    QToolButton[role="quiet"]:checked:focus {{ border: 2px solid {t.accent}; padding: 2px; }}
    QToolButton::menu-indicator {{ image: none; }}
    QLabel[role="caption"] {{ color: {t.muted}; font-size: {SMALL}px; }}
    QLabel[role="title"] {{ font-size: {TITLE}px; font-weight: 600; }}
    QLabel[role="heading"] {{ font-weight: 600; }}
    QLabel[role="warning"] {{ color: {t.warning}; }}
    QLabel[role="special"] {{ color: {t.muted}; background: {t.raised}; border: 1px solid {t.border};
        border-radius: 4px; padding: 2px 6px; font-size: {SMALL}px; }}
    QFrame[role="card"] {{ background: {t.surface}; border: 1px solid {t.border}; border-radius: {RADIUS}px; }}
    QFrame[role="popup"] {{ background: {t.raised}; border: 1px solid {t.border}; }}
    QFrame[role="banner"] {{ background: {t.warning_soft}; border: 1px solid {t.warning}; border-radius: {RADIUS}px; }}
    QFrame[role="note"] {{ background: {t.accent_soft}; border: 1px solid {t.accent}; border-radius: {RADIUS}px; }}
    QAbstractSpinBox {{ padding: 4px 0; }}
    QLineEdit, QComboBox {{ padding: 4px 8px; }}
    QLineEdit, QSpinBox, QDoubleSpinBox, QComboBox {{ background: {t.surface}; border: 1px solid {t.border};
        border-radius: {RADIUS}px; selection-background-color: {t.accent};
        selection-color: {t.on_accent}; }}
    QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QComboBox:focus {{ border: 1px solid {t.accent}; }}
    QComboBox:disabled {{ color: {t.muted}; background: {t.background}; }}
    QComboBox::drop-down {{ border: none; width: 22px; }}
    QComboBox::down-arrow {{ image: url({icons}/chevron-down-{t.name}.svg); width: 12px; height: 12px; }}
    QAbstractSpinBox QLineEdit {{ border: none; padding: 0 8px; background: transparent; }}
    QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ border: none; background: transparent; width: 18px;
        subcontrol-origin: border; }}
    QAbstractSpinBox::up-button {{ subcontrol-position: top right; margin: 2px 2px 0 0; }}
    QAbstractSpinBox::down-button {{ subcontrol-position: bottom right; margin: 0 2px 2px 0; }}
    QAbstractSpinBox[role="figure"]::up-button, QAbstractSpinBox[role="figure"]::down-button {{ width: 0; margin: 0; }}
    QAbstractSpinBox[role="figure"] QLineEdit {{ padding: 0 12px 0 4px; }}
    QAbstractSpinBox::up-arrow {{ image: url({icons}/chevron-up-{t.name}.svg); width: 10px; height: 10px; }}
    QAbstractSpinBox::down-arrow {{ image: url({icons}/chevron-down-{t.name}.svg); width: 10px; height: 10px; }}
    QAbstractSpinBox[role="figure"]::up-arrow, QAbstractSpinBox[role="figure"]::down-arrow {{ image: none; width: 0;
        height: 0; }}
    QComboBox QAbstractItemView {{ background: {t.surface}; border: 1px solid {t.border}; outline: none;
        selection-background-color: {t.accent_soft}; selection-color: {t.text}; }}
    QTableView {{ outline: none; }}
    QPlainTextEdit, QTextBrowser, QTableView, QTreeView, QListView, HeatView, BarView {{ background: {t.surface};
        border: 1px solid {t.border}; border-radius: {RADIUS}px;
        selection-background-color: {t.accent_soft}; selection-color: {t.text}; }}
    QPlainTextEdit:focus, QTextBrowser:focus, QTableView:focus, QTreeView:focus, QListView:focus, HeatView:focus,
    BarView:focus {{ border: 1px solid {t.accent}; }}
    QListView[role="pages"] {{ padding: 4px; }}
    QListView[role="pages"]::item {{ padding: 5px 8px; border-radius: 4px; }}
    QListView[role="pages"]::item:selected {{ background: {t.accent_soft}; color: {t.text}; }}
    QHeaderView::section {{ background: {t.raised}; color: {t.muted}; border: none;
        border-bottom: 1px solid {t.border}; padding: 4px 8px; font-size: {SMALL}px; }}
    RowTable::item {{ padding: 0px 5px; }}
    QCheckBox::indicator, QRadioButton::indicator {{ width: 13px; height: 13px; background: {t.surface};
        border: 1px solid {t.muted}; border-radius: 4px; }}
    QRadioButton::indicator {{ border-radius: 7px; }}
    QCheckBox::indicator:hover, QRadioButton::indicator:hover, QCheckBox::indicator:focus,
    QRadioButton::indicator:focus {{ border-color: {t.accent}; }}
    QCheckBox::indicator:checked {{ background: {t.accent}; border-color: {t.accent};
        image: url({icons}/check-{t.name}.svg); }}
    QRadioButton::indicator:checked {{ border: 4px solid {t.accent}; width: 7px; height: 7px; }}
    QCheckBox::indicator:focus {{ border-width: 2px; width: 11px; height: 11px; }}
    QCheckBox::indicator:checked:focus, QRadioButton::indicator:checked:focus {{ border-color: {t.text}; }}
    QCheckBox::indicator:disabled, QRadioButton::indicator:disabled {{ border-color: {t.border};
        background: {t.background}; }}
    QSlider::groove:horizontal {{ height: 4px; background: {t.border}; border-radius: 2px; }}
    QSlider::sub-page:horizontal {{ background: {t.accent}; border-radius: 2px; }}
    QSlider::handle:horizontal {{ width: 14px; height: 14px; margin: -5px 0; border-radius: 7px;
        background: {t.surface}; border: 2px solid {t.accent}; }}
    QSlider::handle:horizontal:focus {{ background: {t.accent}; }}
    QSlider::sub-page:horizontal:disabled {{ background: {t.border}; }}
    QSlider::handle:horizontal:disabled {{ border-color: {t.border}; }}
    QProgressBar {{ background: {t.border}; border: none; border-radius: 3px; max-height: 6px; }}
    QProgressBar::chunk {{ background: {t.accent}; border-radius: 3px; }}
    QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
    QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
    QScrollBar::handle {{ background: {t.border}; border-radius: 4px; min-height: 24px; min-width: 24px; margin: 1px; }}
    QScrollBar::handle:hover {{ background: {t.muted}; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
    QAbstractScrollArea::corner {{ background: transparent; border: none; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
    """
