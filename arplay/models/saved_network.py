"""What the networks of this project have in common: where their weights are, and the folder that they are kept in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

import torch
from safetensors.torch import save_file
from torch import nn


class SavedNetwork(nn.Module):
    """Called as those of the transformers library are. ``config``: a dataclass of its sizes, as config.json has them;
    ``said``: what that says besides, of every network of the kind."""

    config: Any
    model_type: ClassVar[str]
    said: ClassVar[Mapping[str, Any]] = {}

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        return next(self.parameters()).dtype

    def num_parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.parameters())

    def save_pretrained(self, folder: str | Path) -> None:
        """Write config.json and model.safetensors, in the number type of the weights."""
        dtype = str(self.dtype).removeprefix("torch.")
        content = {"model_type": self.model_type, **self.said, **asdict(self.config), "dtype": dtype}
        Path(folder, "config.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        weights = {name: weight.detach().contiguous() for name, weight in self.named_parameters()}
        save_file(weights, Path(folder, "model.safetensors"), {"format": "pt"})
