"""Where a model runs: what was chosen is kept to, what does not fit is refused with what would, reasons are told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from arplay.core.errors import Problem
from arplay.models import catalogue, devices
from arplay.models.devices import BYTES, RESERVE, Machine, choose, device_died, memory, out_of_memory, placement
from arplay.models.hf import loading
from tests.tiny_models import save_tokenizer, tokenizer

GIB = 1 << 30
REPOSITORY = Path(__file__).parent.parent
MOST_BESIDE_BARE_MIB = 75


def here(cpu: float | None = 16, native_bfloat16: bool = True, **gpus: float) -> Machine:
    """A machine with so many GiB free; gpus are named cuda_0, mps, ..."""
    free = {name.replace("_", ":"): round(size * GIB) for name, size in gpus.items()}
    return Machine(
        {**free, "cpu": None if cpu is None else round(cpu * GIB)},
        dict.fromkeys([*free, "cpu"], 24 * GIB),
        native_bfloat16,
    )


BILLION = 10**9
EXACT = "float32 is exact"
CHOICES: dict[str, tuple[tuple[Machine, str, str, int, str], tuple[str, str, str]]] = {
    "no GPU": (
        (here(), "auto", "auto", BILLION, "bfloat16"),
        ("cpu", "float32", f"cpu: no GPU was found, 17.2 GB of 25.8 GB free; {EXACT}"),
    ),
    "a GPU": (
        (here(cuda_0=9.2), "auto", "auto", BILLION, "bfloat16"),
        ("cuda", "bfloat16", "cuda:0: the fastest here, 9.88 GB of 25.8 GB free; bfloat16 as the weights are stored"),
    ),
    "an old GPU": (
        (here(cuda_0=9, native_bfloat16=False), "auto", "auto", BILLION, "bfloat16"),
        (
            "cuda",
            "float32",
            "cuda:0: the fastest here, 9.66 GB of 25.8 GB free; float32, since this GPU has no bfloat16",
        ),
    ),
    "the emptier GPU": (
        (here(cuda_0=1, cuda_1=9), "auto", "auto", BILLION, "float16"),
        ("cuda:1", "float16", "cuda:1: the fastest here, 9.66 GB of 25.8 GB free; float16 as the weights are stored"),
    ),
    "the CPU by choice": (
        (here(cuda_0=9), "cpu", "bfloat16", BILLION, "bfloat16"),
        ("cpu", "bfloat16", "cpu: chosen, 17.2 GB of 25.8 GB free; bfloat16 as chosen"),
    ),
    "float32 would not fit": (
        (here(cpu=8), "auto", "auto", 3 * BILLION, "bfloat16"),
        (
            "cpu",
            "bfloat16",
            "cpu: no GPU was found, 8.59 GB of 25.8 GB free; bfloat16 as stored, since float32 needs 12.5 GB",
        ),
    ),
    "memory unknown": (
        (here(cpu=None), "auto", "auto", 10**15, "float32"),
        ("cpu", "float32", f"cpu: no GPU was found, an unknown part of 25.8 GB free; {EXACT}"),
    ),
}


@pytest.mark.parametrize("case", CHOICES)
def test_a_place_and_its_reason(case: str) -> None:
    (machine, device, dtype, elements, stored), expected = CHOICES[case]
    place = choose(machine, device, dtype, "m", elements, stored)
    assert (place.device, place.dtype, place.why) == expected and place.limits is None


def test_a_model_too_large_for_one_gpu_is_spread_over_all_and_the_cpu() -> None:
    machine = here(cpu=16, cuda_0=4, cuda_1=6)
    place = choose(machine, "auto", "auto", "m", 8 * BILLION, "bfloat16")
    assert (place.device, place.dtype) == ("cuda", "bfloat16") and "spread, since it needs 16.5 GB" in place.why
    assert place.limits == {0: 4 * GIB - RESERVE, 1: 6 * GIB - RESERVE, "cpu": 16 * GIB - RESERVE}
    with pytest.raises(
        Problem, match=r"m needs 60.5 GB in bfloat16, and 6.44 GB are free on cuda:1; take a smaller model"
    ):
        choose(machine, "auto", "auto", "m", 30 * BILLION, "bfloat16")


ASKED: list[tuple[tuple[Machine, str, str, str, int, str], str]] = [
    ((here(cpu=8), "auto", "float32", "m", 3 * BILLION, "bfloat16"), r"choose --dtype bfloat16 \(6.54 GB\)"),
    ((here(cpu=16, mps=2), "auto", "auto", "m", 3 * BILLION, "float16"), "choose --device cpu, where it fits"),
    ((here(cpu=2), "auto", "auto", "m", 3 * BILLION, "float16"), "at most 805 M parameters fit here now"),
    ((here(), "cuda", "auto", "m", 1, "float32"), "use --device auto or cpu"),
    ((here(), "auto", "float64", "m", 1, "float32"), "use float32, bfloat16 or float16"),
]


@pytest.mark.parametrize(("asked", "remedy"), ASKED)
def test_what_does_not_fit_is_refused_with_what_would(
    asked: tuple[Machine, str, str, str, int, str], remedy: str
) -> None:
    with pytest.raises(Problem, match=remedy):
        choose(*asked)


def machine_of(cpu: int | None, gpus: list[int], native: bool) -> Machine:
    free: dict[str, int | None] = {f"cuda:{i}": gpu for i, gpu in enumerate(gpus)}
    free["cpu"] = cpu
    return Machine(free, dict.fromkeys(free), native)


machines = st.builds(
    machine_of,
    st.one_of(st.none(), st.integers(0, 200 * GIB)),
    st.lists(st.integers(0, 80 * GIB), max_size=3),
    st.booleans(),
)


@given(
    machines,
    st.sampled_from(["auto", "cpu", "cuda"]),
    st.sampled_from(["auto", *BYTES]),
    st.integers(1, 10**12),
    st.sampled_from(["float32", "bfloat16", "float16", "float64"]),
)
def test_what_was_chosen_is_kept_to_and_what_is_given_fits(
    machine: Machine, device: str, dtype: str, elements: int, stored: str
) -> None:
    try:
        place = choose(machine, device, dtype, "m", elements, stored)
    except Problem as problem:
        assert problem.remedy
        return
    assert device in ("auto", place.device.partition(":")[0]) and dtype in ("auto", place.dtype) and place.why
    if place.limits is None:
        free = machine.free[f"{place.device}:0" if place.device == "cuda" else place.device]
        assert free is None or elements * BYTES[place.dtype] + RESERVE <= free
    else:
        assert sum(place.limits.values()) >= elements * BYTES[place.dtype] and min(place.limits.values()) >= 0


def test_free_memory_is_known_and_a_container_has_less(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free, total = memory()
    assert 0 < free <= total
    (tmp_path / "memory.max").write_text(f"{GIB}\n")
    (tmp_path / "memory.current").write_text(f"{GIB // 2}\n")
    (tmp_path / "memory.stat").write_text(f"anon 5\ninactive_file {GIB // 4}\n")
    monkeypatch.setattr(devices, "_CGROUP", tmp_path)
    assert memory() == (GIB * 3 // 4, GIB)
    (tmp_path / "memory.max").write_text("max\n")  # no limit
    assert memory()[1] == total


def test_where_the_layers_are() -> None:
    assert (
        placement({"embed": 0, "layers.0": 0, "layers.1": 1, "head": "cpu"})
        == "GPU 0: embed to layers.0; GPU 1: layers.1; cpu: head"
    )


def test_errors_of_memory_and_of_devices_are_told_apart() -> None:
    memory_errors = [MemoryError(), torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("can't allocate memory")]
    deaths = [
        RuntimeError("CUDA error: device-side assert triggered"),
        RuntimeError("CUDA error: unspecified launch failure"),
    ]
    others = [RuntimeError("shapes cannot be multiplied"), ValueError("device-side assert"), KeyError("x")]
    assert [(out_of_memory(e), device_died(e)) for e in memory_errors] == [(True, False)] * 3
    assert [(out_of_memory(e), device_died(e)) for e in deaths] == [(False, True)] * 2
    assert not any(out_of_memory(e) or device_died(e) for e in others)


def test_a_load_that_fails_leaves_the_threads_to_the_model_before_it(tiny_folders: dict[str, Path]) -> None:
    class Stop(BaseException):
        pass

    def report(fraction: float | None, what: str) -> None:
        if what == "opening the tokenizer":
            assert torch.get_num_threads() == 1
            raise Stop

    former = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with pytest.raises(Stop):
            loading.load(tiny_folders["llama"], "tiny", "cpu", "float32", report)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(former)


def test_a_loaded_model_says_where_it_is_and_why(tiny_folders: dict[str, Path]) -> None:
    info = catalogue.load(str(tiny_folders["llama"]), "cpu", "bfloat16", lambda *_: None).info
    assert (info.device, info.dtype, info.placement) == ("cpu", "bfloat16", "")
    assert info.why.startswith("cpu: chosen, ") and "bfloat16 as chosen" in info.why


PEAK = """
import json, os, sys
from pathlib import Path
import torch, transformers
from transformers.models.llama import modeling_llama
from arplay.models.hf import loading
from arplay.models.hf import fast_step, library

def bare(path):
    forward = library.Forward(transformers.AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval())
    kept = None
    with torch.inference_mode():
        for low in range(0, 64, 16):
            given = torch.arange(low, low + 16)[None]
            kept = forward(given, kept, keep=True)[1]
        for id in range(8):
            kept = forward(torch.tensor([[id]]), kept, keep=True, rows=1)[1]

def arplay(path):
    session = loading.load(Path(path), "m", "cpu", "float32", lambda *_: None).session()
    for low in range(0, 64, 16):
        session.extend(range(low, low + 16))
    for id in range(8):
        session.extend([id])
        session.logits()

for path, how, beside in json.loads(sys.argv[1]):
    child = os.fork()
    if not child:
        second = b"x" * (beside << 20)  # held while the model is loaded
        {"bare": bare, "arplay": arplay}[how](path)
        print(int(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0]) // 1024, flush=True)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit(f"{how} {path} failed")
"""


def peaks(*asked: tuple[Path, str, int]) -> list[int]:
    """MiB that a process takes at most to load a model in 32 bits, bare or by arplay, and to read 72 tokens.

    So many MiB are held beside. Each is a fork of one process that has imported all that either needs.
    """
    given = json.dumps([(str(path), how, beside) for path, how, beside in asked])
    command = [sys.executable, "-W", "ignore", "-c", PEAK, given]
    one = os.environ | {"OMP_NUM_THREADS": "1"}  # the buffers of threads come and go
    said = subprocess.run(command, cwd=REPOSITORY, env=one, capture_output=True, text=True, timeout=300)
    assert said.returncode == 0, said.stderr
    return [int(line) for line in said.stdout.split()]


@pytest.fixture(scope="module")
def heavy(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same 39 million random parameters in a folder of 32 bits and in one of 16."""
    import transformers

    size = tokenizer().get_vocab_size()
    config = transformers.LlamaConfig(
        vocab_size=size, hidden_size=1024, intermediate_size=2816, num_hidden_layers=3, num_attention_heads=8,
        max_position_embeddings=128,
    )  # fmt: skip
    network = transformers.LlamaForCausalLM(config)
    folders = {name: tmp_path_factory.mktemp(name) for name in ("float32", "bfloat16")}
    for name, folder in folders.items():
        network.to(getattr(torch, name)).save_pretrained(folder)
        save_tokenizer(folder, tokenizer())
    return folders


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc")
def test_loading_never_holds_two_copies(heavy: dict[str, Path]) -> None:
    stored = ("float32", "bfloat16")
    asked = [(heavy[name], how, 0) for name in stored for how in ("bare", "arplay")]
    *found, beside = peaks(*asked, (heavy["bfloat16"], "bare", 148))
    for name, bare, arplay in zip(stored, found[::2], found[1::2], strict=True):
        assert arplay <= bare + MOST_BESIDE_BARE_MIB, name
    # control: a second copy (148 MiB) is noticed, whichever of the two loaders needs less
    assert beside > found[2] + MOST_BESIDE_BARE_MIB


@pytest.mark.parametrize(("device", "remedy"), [("cpu", "close other programs"), ("cuda:1", "choose --device cpu")])
def test_memory_that_runs_out_while_loading_has_a_remedy_that_helps(device: str, remedy: str) -> None:
    import torch

    from arplay.models.devices import Placement
    from arplay.models.hf.loading import read_network

    class Full:
        @staticmethod
        def from_pretrained(*_: object, **__: object) -> None:
            raise MemoryError

    with pytest.raises(Problem) as told:
        read_network(torch, Full, "m", Placement(device, "float32", ""), lambda *_: None, "m")
    assert told.value.remedy.startswith(remedy)
    assert device != "cpu" or "device cpu" not in str(told.value)
