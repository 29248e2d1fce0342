"""Where a model runs and in which number type."""

from __future__ import annotations

from typing import Any

from arplay.core.errors import Problem
from arplay.models.folder import Folder


def device_of(torch: Any, device: str) -> str:
    available = {
        "cuda": torch.cuda.is_available,
        "mps": torch.backends.mps.is_available,
        "xpu": torch.xpu.is_available,
        "cpu": lambda: True,
    }
    if device == "auto":
        return next(name for name, there in available.items() if there())
    if device not in available or not available[device]():
        raise Problem(f"there is no device {device} here", "use --device auto or cpu")
    return device


def dtype_of(torch: Any, dtype: str, device: str, folder: Folder) -> Any:
    """auto: float32 on the CPU (exact, and often the fastest there), the weights' own type on an accelerator."""
    if dtype == "auto":
        stored = folder.config.get("dtype") or folder.config.get("torch_dtype")
        dtype = stored if device != "cpu" and stored in ("bfloat16", "float16") else "float32"
    if dtype not in ("float32", "bfloat16", "float16"):
        raise Problem(f"there is no number type {dtype} here", "use float32, bfloat16 or float16")
    return getattr(torch, dtype)
