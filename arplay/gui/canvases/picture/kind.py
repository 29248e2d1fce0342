"""Pictures, as the window knows them."""

from __future__ import annotations

from arplay.core.modalities.image import Picture, Raster
from arplay.gui.canvases import sketch
from arplay.gui.canvases.kind import Kind, later

PICTURE = Kind(
    name="picture",
    noun="picture",
    tokens=Raster,
    document=Picture,
    blank=lambda raster: raster.blank(),
    suits=lambda picture, raster: raster.fits(picture),
    canvas=later("arplay.gui.canvases.picture.canvas:PictureCanvas"),
    heat=later("arplay.gui.canvases.picture.heat:PictureHeat"),
    field=later("arplay.gui.canvases.picture.field:PictureField"),
    sheet=later("arplay.gui.canvases.picture.heat:PictureSheet"),
    in_parts=False,
    long=lambda picture: False,
    verb="paint",
    first="Click a pixel to go there, or choose a paint first. The framed pixel is the place in the chain: the pixels "
    "before it are the prefix, and the arrow shows the order. The arrow keys go there as well. Clear the rest, and "
    "Continuations below completes the picture many times.",
    other="Go back with the arrow keys into the middle of the picture and paint the pixel anew with the digit of a "
    "level. Ctrl+B branches: another level for the last one that was picked. What was there before is kept.",
    thumbnail=later("arplay.gui.canvases.picture.drawn:drawn"),
    files={".png": later("arplay.models.picturefile:write_picture")},
    sketch=sketch.PICTURE,
)
