"""Where a model runs and in which number type, with the reason; whether it fits is known before it is loaded."""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from arplay.core.errors import Problem, in_one_line
from arplay.core.format import short, size

BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
RESERVE = 512 * 1024 * 1024
"""Left free beside the weights: a cache, the logits of a chunk and what the libraries take for themselves."""

_CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Placement:
    """A device and a number type by their torch names; ``limits`` is what each device may hold if the model is spread
    (bytes by GPU number and "cpu", as ``accelerate`` takes them), else None. ``why``: the reason, in a sentence."""

    device: str
    dtype: str
    why: str
    limits: Mapping[int | str, int] | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """The devices that are there, best first, with the free bytes of each (None: nobody knows); the CPU is last."""

    free: Mapping[str, int | None]
    total: Mapping[str, int | None]
    native_bfloat16: bool = True

    @property
    def kinds(self) -> list[str]:
        return list(dict.fromkeys(name.partition(":")[0] for name in self.free))


def machine(torch: Any) -> Machine:
    free: dict[str, int | None] = {}
    total: dict[str, int | None] = {}
    for kind in ("cuda", "xpu"):
        module = getattr(torch, kind)
        for i in range(module.device_count() if module.is_available() else 0):
            with contextlib.suppress(RuntimeError):  # a GPU that died in this process is not there any more
                free[f"{kind}:{i}"], total[f"{kind}:{i}"] = module.mem_get_info(i)
    if torch.backends.mps.is_available():
        total["mps"] = torch.mps.recommended_max_memory()
        free["mps"] = torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
    free["cpu"], total["cpu"] = memory()
    living = any(name.startswith("cuda") for name in free)
    native = not living or torch.cuda.is_bf16_supported(including_emulation=False)
    return Machine(free, total, native)


def memory() -> tuple[int, int]:
    """Free and total bytes of main memory, as far as this process may take them (a container has less). No torch."""
    import psutil

    known = psutil.virtual_memory()
    free, total = int(known.available), int(known.total)
    try:  # cgroup v2; "max" and other systems raise and mean no limit
        limit = int((_CGROUP / "memory.max").read_text())
        counted = dict(line.split() for line in (_CGROUP / "memory.stat").read_text().splitlines())
        used = int((_CGROUP / "memory.current").read_text()) - int(counted["inactive_file"])
    except (OSError, ValueError, KeyError):
        return free, total
    return max(0, min(free, limit - used)), min(total, limit)


def choose(here: Machine, device: str, dtype: str, name: str, elements: int, stored: str) -> Placement:
    """Where a model of ``elements`` numbers, stored as ``stored``, is to run. What the user chose is kept to.

    "auto": the first kind of device there is; float32 on the CPU (exact), the stored type on an
    accelerator. Raises Problem for a device or type that is not there, and for a model that fits nowhere: with
    what would fit.

    >>> choose(Machine({"cpu": 8 << 30}, {"cpu": 16 << 30}), "auto", "auto", "m", 10**9, "bfloat16").why
    'cpu: no GPU was found, 8.59 GB of 17.2 GB free; float32 is exact'
    """
    if dtype != "auto" and dtype not in BYTES:
        raise Problem(f"there is no number type {dtype} here", "use float32, bfloat16 or float16")
    if device != "auto" and device not in here.kinds:
        raise Problem(f"there is no device {device} here", "use --device auto or cpu")
    kind = here.kinds[0] if device == "auto" else device
    half = stored if stored in ("bfloat16", "float16") else None
    wanted, reason = _dtype(dtype, kind, half, here.native_bfloat16)
    of_kind = {each: free for each, free in here.free.items() if each.partition(":")[0] == kind}
    best = max(of_kind, key=lambda each: of_kind[each] or 0)
    where = f"{best}: {_because(device, kind, here)}, {_size(of_kind[best])} of {_size(here.total[best])} free"
    if _fits(elements, wanted, of_kind[best]):
        return Placement(best.removesuffix(":0"), wanted, f"{where}; {reason}")
    if kind in ("cuda", "xpu"):
        limits: dict[int | str, int] = {
            int(each.partition(":")[2]): max(0, (free or 0) - RESERVE) for each, free in of_kind.items()
        }
        limits["cpu"] = max(0, (here.free["cpu"] or 0) - RESERVE)
        if sum(limits.values()) >= elements * BYTES[wanted]:
            how = f"{where}: spread, since it needs {_need(elements, wanted)}; {reason}"
            return Placement(kind, wanted, how, limits)
    if dtype == "auto" and half and wanted == "float32" and _fits(elements, half, of_kind[best]):
        need = _need(elements, "float32")
        return Placement(best.removesuffix(":0"), half, f"{where}; {half} as stored, since float32 needs {need}")
    raise Problem(
        f"{name} needs {_need(elements, wanted)} in {wanted}, and {_size(of_kind[best])} are free on {best}",
        _what_fits(here, kind, best, wanted, elements, half or "bfloat16"),
    )


def _dtype(dtype: str, kind: str, half: str | None, native_bfloat16: bool) -> tuple[str, str]:
    if dtype != "auto":
        return dtype, f"{dtype} as chosen"
    if kind == "cpu":
        return "float32", "float32 is exact"
    if half is None:
        return "float32", "float32 as the weights are stored"
    if half == "bfloat16" and not native_bfloat16:
        return "float32", "float32, since this GPU has no bfloat16"
    return half, f"{half} as the weights are stored"


def _because(device: str, kind: str, here: Machine) -> str:
    if device != "auto":
        return "chosen"
    return "no GPU was found" if kind == "cpu" else "the fastest here"


def _fits(elements: int, dtype: str, free: int | None) -> bool:
    return free is None or elements * BYTES[dtype] + RESERVE <= free


def _what_fits(here: Machine, kind: str, best: str, dtype: str, elements: int, half: str) -> str:
    if BYTES[half] < BYTES[dtype] and _fits(elements, half, here.free[best]):
        return f"choose --dtype {half} ({_need(elements, half)}), which fits"
    if kind != "cpu" and _fits(elements, dtype, here.free["cpu"]):
        return "choose --device cpu, where it fits"
    most = max(0, (here.free[best] or 0) - RESERVE) // 2
    return f"take a smaller model: at most {short(most)} parameters fit here now, in {half}"


def _need(elements: int, dtype: str) -> str:
    return size(elements * BYTES[dtype] + RESERVE)


def _size(count: int | None) -> str:
    return "an unknown part" if count is None else size(count)


def placement(layers: Mapping[str, int | str]) -> str:
    """Where a spread model's parts are, in their order.

    >>> placement({"model.embed": 0, "model.layers.0": 0, "model.layers.1": "cpu", "head": "cpu"})
    'GPU 0: model.embed to model.layers.0; cpu: model.layers.1 to head'
    """
    parts = []
    for where, run in groupby(layers.items(), key=lambda item: item[1]):
        names = [name for name, _ in run]
        device = f"GPU {where}" if isinstance(where, int) else str(where)
        parts.append(f"{device}: {names[0]}" + (f" to {names[-1]}" if len(names) > 1 else ""))
    return "; ".join(parts)


def release() -> None:
    """Give memory that nothing uses any more back to the devices and the system; torch is not imported for it."""
    with contextlib.suppress(AttributeError, TypeError):  # the C library keeps most of it; only glibc can be asked
        ctypes.CDLL(None).malloc_trim(0)
    torch = sys.modules.get("torch")
    for kind in ("cuda", "xpu", "mps"):
        module = getattr(torch, kind, None)
        if module is not None and getattr(module, "is_initialized", module.is_available)():
            with contextlib.suppress(RuntimeError):  # a dead device has nothing to give back
                module.empty_cache()


def does_not_fit(name: str, device: str) -> Problem:
    """Memory that ran out, or a device that failed, while the weights of ``name`` were put on ``device``."""
    smaller = "close other programs, choose --dtype bfloat16, or take a smaller model"
    if device.partition(":")[0] == "cpu":
        return Problem(f"{name} does not fit in the main memory that is free", smaller)
    return Problem(f"{name} does not fit on {device}", f"choose --device cpu; or {smaller}")


def out_of_memory(error: BaseException) -> bool:
    """Python's and torch's own; torch is not imported to ask, and its CPU allocator has only a RuntimeError."""
    named = type(error).__name__ == "OutOfMemoryError"
    return isinstance(error, MemoryError) or named or "can't allocate memory" in str(error)


def too_little_memory(error: BaseException) -> Problem:
    """What :func:`out_of_memory` found, while a text was read or written."""
    return Problem(f"there is not enough memory ({in_one_line(error)})", "use a smaller model or a shorter text")


def device_died(error: BaseException) -> bool:
    """Whether the accelerator failed so that nothing in its memory can be used any more."""
    said = str(error)
    return isinstance(error, RuntimeError) and not out_of_memory(error) and any(word in said for word in _DEATHS)


_DEATHS = (
    "device-side assert", "unspecified launch failure", "an illegal memory access", "CUDA error: unknown error",
    "device kernel image is invalid", "uncorrectable ECC error", "hardware stack error", "GPU has fallen off the bus",
    "CUDNN_STATUS_EXECUTION_FAILED", "CUBLAS_STATUS_EXECUTION_FAILED", "UR_RESULT_ERROR_DEVICE_LOST",
)  # fmt: skip


def peak() -> int:
    """The most memory that this process held, in bytes."""
    if sys.platform == "win32":
        import psutil

        return int(psutil.Process().memory_info().peak_wset)
    with contextlib.suppress(OSError, StopIteration):  # getrusage counts what the parent held when it began this one
        lines = Path("/proc/self/status").read_text().splitlines()
        return 1024 * int(next(line.split()[1] for line in lines if line.startswith("VmHWM:")))
    import resource

    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held if sys.platform == "darwin" else 1024 * held
