"""Loading a WaveNet that arplay has trained: sounds of one rate, read sample by sample."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from arplay.core.modalities.sound import LEVELS, Amplitudes
from arplay.models.base import Report
from arplay.models.families.wavenet import WAVENET
from arplay.models.own_network import described, finite, placed
from arplay.models.store.folder import Folder, configuration, sizes

if TYPE_CHECKING:
    from arplay.models.families.wavenet.model import WaveNet
    from arplay.models.families.wavenet.network import Network

_BOUNDS = {
    "levels": (2, LEVELS), "width": (1, 1 << 10), "skip": (1, 1 << 12), "stages": (1, 14), "cycles": (1, 16),
    "rate": (100, 384_000),
}  # fmt: skip


def load(path: Path, name: str, device: str, dtype: str, report: Report) -> WaveNet:
    """Load a folder that a WaveNet's network has saved; whatever is chosen, in float32 on the CPU, as is told.

    Raises Problem for sizes that are none, weights that are not those of the sizes or no numbers, and whatever
    ``report`` raises to cancel.
    """
    from arplay.models.families.wavenet.model import WaveNet

    asked = device not in ("auto", "cpu") or dtype not in ("auto", "float32")
    folder, place, network = placed(path, "cpu", "float32", report, build)
    made, amplitudes = network.config, tokens(path)
    info = described(
        folder, WAVENET.name, name, replace(place, why=""), len(amplitudes), "torch and numpy",
        f"{made.rate:,} samples a second of {made.levels} levels",
        f"receptive field {made.field:,} samples ({1000 * made.field / made.rate:.0f} ms)",
        f"not on {device} in {dtype}: a WaveNet is always float32 on the CPU" if asked else "",
    )  # fmt: skip
    model = WaveNet(network, info, amplitudes)
    return finite(model, model.uncached)


def build(folder: Folder) -> Network:
    """The network of a folder with its weights, in float32 on the CPU, in evaluation mode.

    Nothing is allocated before the sizes in config.json are those of the weights. Raises Problem where they are not.
    """
    from arplay.models.families.wavenet.network import Network, Sizes
    from arplay.models.hf.networks import filled

    made = Sizes(**sizes(folder.path, folder.config, _BOUNDS))
    return filled(lambda: Network(made), folder.weights[0])


def tokens(path: Path) -> Amplitudes:
    """The token set of the sounds of a folder, by its config.json alone. Raises Problem."""
    found = sizes(path, configuration(path, causal=False), _BOUNDS)
    return Amplitudes(found["rate"], found["levels"])
