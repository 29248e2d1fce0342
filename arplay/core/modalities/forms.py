"""The table of forms in which documents are kept, one a kind: the only one of kinds that core/ asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from arplay.core.modalities.base import Document
from arplay.core.modalities.form import Form
from arplay.core.modalities.image_form import PictureForm
from arplay.core.modalities.sound_form import SoundForm
from arplay.core.modalities.text import Text
from arplay.core.modalities.text_form import TextForm, former_in

FORMS: tuple[Form, ...] = (
    TextForm(),
    PictureForm(),
    SoundForm(),
)
FIRST: Document = Text()
"""What lies on the table before there is a model."""


def of_document(document: object) -> Form:
    return next(form for form in FORMS if isinstance(document, form.document))


def of_edit(edit: object) -> Form:
    return next(form for form in FORMS if isinstance(edit, form.edit))


def of_start(fact: Any) -> Form:
    """Raises ValueError where it is no document of any kind."""
    found = next((form for form in FORMS if form.is_start(fact)), None)
    if found is None:
        raise ValueError("this is no document of a kind that is known")
    return found


def former(content: Mapping[str, Any]) -> Document:
    """The one document that was kept before there were sessions. Raises ValueError, KeyError and TypeError."""
    return former_in(content)
