"""Pictures that come and go by the clipboard: exact rows of signs among ourselves, images elsewhere."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QIODevice, QMimeData, QSize, Qt

from arplay.core.errors import Problem
from arplay.core.modalities.image import Picture, Raster
from arplay.gui.canvases.picture.drawn import drawn
from arplay.models.picturefile import pasted

LEAST_COPIED = 256
"""Pixels of a side of an image that is copied, at least."""


def offer(picture: Picture, raster: Raster) -> QMimeData:
    mime, scale = QMimeData(), -(-LEAST_COPIED // max(raster.width, raster.height))
    mime.setText(picture.file.decode())
    size = QSize(scale * raster.width, scale * raster.height)
    mime.setImageData(drawn(picture, raster).scaled(size, Qt.AspectRatioMode.IgnoreAspectRatio))
    return mime


def content(source: QMimeData, raster: Raster) -> tuple[Picture, str]:
    """The picture that is offered, and what was done to it. Raises Problem."""
    if source.hasText():
        try:
            return raster.picture(source.text().split()), ""
        except Problem:
            if not source.hasImage():
                raise
    if not source.hasImage():
        raise Problem("no picture was copied", "copy an image, or rows of the signs of this model")
    file = QBuffer()
    file.open(QIODevice.OpenModeFlag.WriteOnly)
    source.imageData().save(file, "PNG")
    return pasted(bytes(file.data().data()), raster)
