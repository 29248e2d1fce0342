"""Loading a WaveNet that arplay has trained: sounds of one rate, read sample by sample."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from arplay.core.errors import Problem
from arplay.core.modalities.sound import LEVELS, Amplitudes
from arplay.models.base import Info, Report
from arplay.models.families.wavenet import WAVENET
from arplay.models.libraries import import_torch, threads
from arplay.models.store.folder import Folder, configuration, digest, inspect

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
    import numpy as np

    folder = inspect(path, causal=False)
    torch = import_torch(report)
    report(None, "reading the weights")
    network = build(folder)
    from arplay.models.families.wavenet.model import WaveNet

    torch.set_num_threads(threads(folder.elements))
    sizes, amplitudes = network.config, tokens(path)
    asked = device not in ("auto", "cpu") or dtype not in ("auto", "float32")
    why = (
        f"{sizes.rate:,} samples a second of {sizes.levels} levels",
        f"receptive field {sizes.field:,} samples ({1000 * sizes.field / sizes.rate:.0f} ms)",
        f"not on {device} in {dtype}: a WaveNet is always float32 on the CPU" if asked else "",
    )
    info = Info(
        name=name, family=WAVENET.name, source=str(path), revision=digest(folder.weights), dtype="float32",
        device="cpu", vocabulary=len(amplitudes), context=None, parameters=folder.elements, engine="torch and numpy",
        why="; ".join(filter(None, why)),
    )  # fmt: skip
    model = WaveNet(network, info, amplitudes)
    if np.isnan(model.uncached(())).any():
        raise Problem(f"the logits of {path.name} are not numbers (NaN)", "train the model again")
    return model


def build(folder: Folder) -> Network:
    """The network of a folder with its weights, in float32 on the CPU, in evaluation mode.

    Nothing is allocated before the sizes in config.json are those of the weights. Raises Problem where they are not.
    """
    import torch

    from arplay.models.families.wavenet.network import Network, Sizes
    from arplay.models.hf.networks import check_weights, put_weights

    sizes = Sizes(**_sizes(folder.path, folder.config))
    with torch.device("meta"):
        network = Network(sizes)
    check_weights(network, folder.weights[0])
    network = network.to_empty(device="cpu").eval()
    put_weights(network, folder.weights[0])
    return network


def tokens(path: Path) -> Amplitudes:
    """The token set of the sounds of a folder, by its config.json alone. Raises Problem."""
    sizes = _sizes(path, configuration(path, causal=False))
    return Amplitudes(sizes["rate"], sizes["levels"])


def _sizes(path: Path, config: dict[str, Any]) -> dict[str, int]:
    """The sizes that config.json says. Raises Problem for one out of bounds."""
    for key, (least, most) in _BOUNDS.items():
        value = config.get(key)
        if type(value) is not int or not least <= value <= most:
            cause = f"{path.name}/config.json says {key} is {str(value)[:20]}, not {least} to {most:,}"
            raise Problem(cause, "check that file")
    return {key: config[key] for key in _BOUNDS}
