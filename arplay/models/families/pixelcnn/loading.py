"""Loading a PixelCNN that arplay has trained: pictures of one size, read pixel by pixel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from arplay.core.errors import Problem
from arplay.core.modalities.image import MOST_LEVELS, MOST_PIXELS, Raster, signs_of
from arplay.models.base import Info, Report
from arplay.models.devices import choose, machine
from arplay.models.families.pixelcnn import PIXELCNN
from arplay.models.libraries import import_torch, threads
from arplay.models.store.folder import Folder, configuration, digest, inspect

if TYPE_CHECKING:
    from arplay.models.families.pixelcnn.model import PixelCNN
    from arplay.models.families.pixelcnn.network import Network

_LEAST = {"height": 1, "width": 1, "levels": 2, "channels": 1, "layers": 1, "stacks": 1}
_MOST = {
    "height": MOST_PIXELS, "width": MOST_PIXELS, "levels": MOST_LEVELS, "channels": 1 << 12, "layers": 64, "stacks": 2,
}  # fmt: skip


def load(path: Path, name: str, device: str, dtype: str, report: Report) -> PixelCNN:
    """Load a folder that a PixelCNN's network has saved.

    Raises Problem for sizes that are none, weights that are not those of the sizes or no numbers, and whatever
    ``report`` raises to cancel.
    """
    folder = inspect(path, causal=False)
    torch = import_torch(report)
    place = choose(machine(torch), device, dtype, path.name, folder.elements, folder.stored_dtype)
    if place.limits is not None:
        raise Problem(f"{path.name} does not fit on one device", "choose --device cpu")
    report(None, "reading the weights")
    network = build(folder).to(device=place.device, dtype=getattr(torch, place.dtype))
    from arplay.models.families.pixelcnn.model import PixelCNN

    torch.set_num_threads(threads(folder.elements))
    raster = tokens(path)
    info = Info(
        name=name, family=PIXELCNN.name, source=str(path), revision=digest(folder.weights), dtype=place.dtype,
        device=place.device, vocabulary=len(raster), context=None, parameters=folder.elements, engine="torch",
        why="; ".join(filter(None, (place.why, raster.in_words))),
    )  # fmt: skip
    model = PixelCNN(network, info, raster)
    if bool(torch.isnan(torch.from_numpy(model.uncached(()).copy())).any()):
        raise Problem(f"the logits of {path.name} are not numbers (NaN)", "use float32, or train the model again")
    return model


def build(folder: Folder) -> Network:
    """The network of a folder with its weights, in float32 on the CPU, in evaluation mode.

    Nothing is allocated before the sizes in config.json are those of the weights. Raises Problem where they are not.
    """
    from arplay.models.families.pixelcnn.network import Network, Sizes
    from arplay.models.hf.networks import filled

    sizes = Sizes(**_sizes(folder.path, folder.config))
    return filled(lambda: Network(sizes), folder.weights[0])


def tokens(path: Path) -> Raster:
    """The token set of the pictures of a folder, by its config.json alone. Raises Problem."""
    sizes = _sizes(path, configuration(path, causal=False))
    height, width = sizes["height"], sizes["width"]
    return Raster(height, width, signs_of(sizes["levels"]), tuple(range(height * width)))


def _sizes(path: Path, config: dict[str, Any]) -> dict[str, int]:
    """The sizes that config.json says. Raises Problem for one out of bounds."""
    for key, least in _LEAST.items():
        value = config.get(key)
        if type(value) is not int or not least <= value <= _MOST[key]:
            cause = f"{path.name}/config.json says {key} is {str(value)[:20]}, not {least} to {_MOST[key]:,}"
            raise Problem(cause, "check that file")
    if config["height"] * config["width"] > MOST_PIXELS:
        raise Problem(f"{path.name} has pictures of more than {MOST_PIXELS:,} pixels", "train one of smaller pictures")
    return {key: config[key] for key in _LEAST}
