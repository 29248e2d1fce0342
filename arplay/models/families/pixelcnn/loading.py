"""Loading a PixelCNN that arplay has trained: pictures of one size, read pixel by pixel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from arplay.core.errors import Problem
from arplay.core.modalities.image import MOST_LEVELS, MOST_PIXELS, Raster, signs_of
from arplay.models.base import Report
from arplay.models.families.pixelcnn import PIXELCNN
from arplay.models.own_network import described, finite, placed
from arplay.models.store.folder import Folder, configuration, sizes

if TYPE_CHECKING:
    from arplay.models.families.pixelcnn.model import PixelCNN
    from arplay.models.families.pixelcnn.network import Network

_BOUNDS = {
    "height": (1, MOST_PIXELS), "width": (1, MOST_PIXELS), "levels": (2, MOST_LEVELS), "channels": (1, 1 << 12),
    "layers": (1, 64), "stacks": (1, 2),
}  # fmt: skip


def load(path: Path, name: str, device: str, dtype: str, report: Report) -> PixelCNN:
    """Load a folder that a PixelCNN's network has saved.

    Raises Problem for sizes that are none, weights that are not those of the sizes or no numbers, and whatever
    ``report`` raises to cancel.
    """
    from arplay.models.families.pixelcnn.model import PixelCNN

    raster = tokens(path)
    folder, place, network = placed(path, device, dtype, report, build)
    info = described(folder, PIXELCNN.name, name, place, len(raster), "torch", raster.in_words)
    model = PixelCNN(network, info, raster)
    return finite(model, model.uncached)


def build(folder: Folder) -> Network:
    """The network of a folder with its weights, in float32 on the CPU, in evaluation mode.

    Nothing is allocated before the sizes in config.json are those of the weights. Raises Problem where they are not.
    """
    from arplay.models.families.pixelcnn.network import Network, Sizes
    from arplay.models.hf.networks import filled

    made = Sizes(**_sizes(folder.path, folder.config))
    return filled(lambda: Network(made), folder.weights[0])


def tokens(path: Path) -> Raster:
    """The token set of the pictures of a folder, by its config.json alone. Raises Problem."""
    found = _sizes(path, configuration(path, causal=False))
    height, width = found["height"], found["width"]
    return Raster(height, width, signs_of(found["levels"]), tuple(range(height * width)))


def _sizes(path: Path, config: dict[str, Any]) -> dict[str, int]:
    """The sizes that config.json says. Raises Problem for one out of bounds."""
    found = sizes(path, config, _BOUNDS)
    if found["height"] * found["width"] > MOST_PIXELS:
        raise Problem(f"{path.name} has pictures of more than {MOST_PIXELS:,} pixels", "train one of smaller pictures")
    return found
