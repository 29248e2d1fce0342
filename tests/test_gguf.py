"""GGUF files: what the header says, what is refused before anything is allocated, and the dequantised way."""

from __future__ import annotations

import random
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from arplay.core.errors import Problem
from arplay.models import catalogue, devices
from arplay.models.gguf import dequantised as gguf_dequantised
from arplay.models.gguf import families as gguf_families
from arplay.models.gguf import file as gguf_file
from arplay.models.gguf import tokenizer as gguf_tokenizer
from arplay.models.gguf import ways as gguf_ways
from arplay.models.store.cards import read_card
from tests.tiny_ggufs import ARCHITECTURES, CONTEXT, KINDS, network, write, write_sentencepiece
from tests.tiny_models import one_thread

__all__ = ["one_thread"]


def quiet(fraction: float | None, what: str) -> None:
    pass


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("gguf") / "tiny.gguf", "llama", KINDS.Q8_0, **{"general.name": "Tiny"})


def opened(path: Path) -> gguf_families.Fit:
    file = gguf_file.read(path)
    gguf_tokenizer.open_tokenizer(file)
    return gguf_families.fit(file)


def test_the_card_tells_what_the_file_is(tiny: Path) -> None:
    card = read_card(tiny)
    assert (card.title, card.family, card.stored_dtype, card.context) == ("Tiny", "llama", "Q8_0", CONTEXT)
    assert card.parameters == sum(p.numel() for p in network("llama", 300).parameters())
    assert card.disk_bytes == tiny.stat().st_size and card.memory_bytes("float32") == 4 * card.parameters
    assert catalogue.card(str(tiny)).state == catalogue.card(f"{tiny}#native").state == "ready"


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_dequantised_it_is_the_network_that_was_written(tmp_path: Path, architecture: str) -> None:
    made = network(architecture, 300)
    file = write(tmp_path / "m.gguf", architecture, made=made)
    model = gguf_dequantised.load(file, "m", "cpu", "auto", quiet)
    ids = np.random.default_rng(0).integers(0, 300, CONTEXT).tolist()
    with torch.inference_mode():
        wanted = made(torch.tensor([ids])).logits[0, -1].numpy()
    session = model.session()
    session.extend(ids)
    np.testing.assert_allclose(session.logits(), wanted, atol=1e-4, rtol=0)
    assert np.abs(model.uncached(ids[::-1]) - wanted).max() > 0.1, "other texts have other logits"
    assert "dequantised from F32" in model.info.why and model.info.engine == "transformers"


@pytest.mark.parametrize("kind", [KINDS.F16, KINDS.BF16, KINDS.Q8_0, KINDS.Q4_0], ids=lambda kind: kind.name)
def test_weights_are_ggufs_own_numbers(tmp_path: Path, kind: Any) -> None:
    import gguf

    path = write(tmp_path / "m.gguf", "llama", kind)
    file = gguf_file.read(path)
    theirs = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
    assert theirs.keys() == file.tensors.keys()
    for name, tensor in file.tensors.items():
        wanted = gguf.dequantize(theirs[name].data, theirs[name].tensor_type)
        assert np.array_equal(gguf_dequantised.numbers(file, tensor), wanted), name


def test_a_way_is_part_of_the_name(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert gguf_ways.split("a#b.gguf#native") == ("a#b.gguf", "native")
    assert gguf_ways.split("a.gguf#other") == ("a.gguf#other", "") and gguf_ways.split("a#native") == ("a#native", "")
    model = catalogue.load(f"{tiny}#dequantised", "auto", "auto", quiet)
    assert catalogue.spec_of(model.info.source) == f"{tiny}#dequantised"
    monkeypatch.setitem(sys.modules, "llama_cpp", None)  # as if it were not installed
    monkeypatch.setattr(gguf_ways, "find_spec", lambda name: None)
    with pytest.raises(Problem, match=r"pip install 'arplay\[gguf\]'.*#dequantised"):
        catalogue.load(f"{tiny}#native", "auto", "auto", quiet)
    assert "pip install 'arplay[gguf]'" in catalogue.load(str(tiny), "auto", "auto", quiet).info.why


def test_what_does_not_fit_in_memory_is_refused_first(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "memory", lambda: (devices.RESERVE + 1000, 1 << 30))
    with pytest.raises(Problem, match="MB"):
        gguf_dequantised.load(tiny, "m", "cpu", "auto", quiet)


REFUSED: dict[str, dict[str, Any]] = {
    "architecture": {"general.architecture": "mamba9"},
    "ask for .300, 63": {"llama.embedding_length": 63},
    "cannot share": {"llama.attention.head_count": 3},
    "head_count_kv": {"llama.attention.head_count_kv": 0},
    "block_count": {"llama.block_count": 0},
    "lacks the tensor blk.2": {"llama.block_count": 3},
    "no place": {"llama.block_count": 1},
    "feed_forward_length": {"llama.feed_forward_length": "wide"},
    "epsilon": {"llama.attention.layer_norm_rms_epsilon": float("nan")},
    "expert_count": {"llama.expert_count": 8},
    "yarn": {"llama.rope.scaling.type": "yarn"},
    "rope.dimension_count": {"llama.rope.dimension_count": 8},
    "has the shape": {"llama.feed_forward_length": 64},
    "does not say how it cuts": {"tokenizer.ggml.pre": None},
    "bos_token_id": {"tokenizer.ggml.bos_token_id": 300},
    "token_type": {"tokenizer.ggml.token_type": [1, 2]},
    "merges": {"tokenizer.ggml.merges": ["a b c"]},
    "part of several": {"split.count": 3},
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_contradicts_itself_is_refused_by_name(tmp_path: Path, reason: str) -> None:
    changes = dict(REFUSED[reason])
    path = tmp_path / "m.gguf"
    if "general.architecture" in changes:
        write(path, "llama")
        path.write_bytes(path.read_bytes().replace(b"llama", b"lla9a"))
    else:
        write(path, "llama", **changes)
    with pytest.raises(Problem, match=reason) as caught:
        opened(path)
    assert "m.gguf" in caught.value.cause and caught.value.remedy
    opened(write(tmp_path / "good.gguf", "llama"))


def test_damaged_headers_are_refused_within_their_bounds(tiny: Path, tmp_path: Path) -> None:
    whole = tiny.read_bytes()
    path = tmp_path / "m.gguf"
    huge = struct.pack("<Q", 1 << 62)
    for broken in (
        b"",
        b"GGU",
        b"GGML" + whole[4:],
        whole[:4] + struct.pack("<I", 1) + whole[8:],
        whole[:8] + huge + whole[16:],
        whole[:16] + huge + whole[24:],
        whole[:24] + huge + whole[32:],
        whole[:2000],
        whole[: -len(whole) // 3],
        whole[:-40],
    ):
        path.write_bytes(broken)
        with pytest.raises(Problem, match=r"m\.gguf is damaged, cut off or no GGUF file"):
            gguf_file.read(path)
    with pytest.raises(Problem, match="cannot be read"):
        gguf_file.read(tmp_path / "none.gguf")


def test_every_cut_and_flip_is_a_problem_or_a_model_that_fits(tiny: Path, tmp_path: Path) -> None:
    """What passes here goes to a native library: it must fit, whatever was done to its bytes."""
    whole, path, dice = tiny.read_bytes(), tmp_path / "m.gguf", random.Random(5)
    end = gguf_file.read(tiny).tensors["token_embd.weight"].start
    passed = 0
    for _ in range(150):
        changed = bytearray(whole)
        for _ in range(dice.randrange(1, 4)):
            changed[dice.randrange(end)] = dice.choice((0, 1, 255, dice.randrange(256)))
        if dice.random() < 0.2:
            del changed[dice.randrange(len(changed)) :]
        path.write_bytes(changed)
        try:
            found = opened(path)
        except Problem as problem:
            assert "m.gguf" in problem.cause
            continue
        passed += 1
        for name, row in found.weights.items():
            assert gguf_file.read(path).tensors[name].shape == tuple(getattr(found.sizes, word) for word in row.shape)
    assert 10 < passed < 140, "both outcomes are met"


def test_a_sentencepiece_vocabulary_has_exact_pieces(tmp_path: Path) -> None:
    alphabet = gguf_tokenizer.open_tokenizer(gguf_file.read(write_sentencepiece(tmp_path / "m.gguf")))
    assert alphabet.lead == (1,) and alphabet.bos == 1 and alphabet.eos == 2
    text = "the cat at é 日".encode()
    tokens = alphabet.encode(text)
    written = [alphabet.vocabulary.data[id] or b"" for id in tokens.ids]
    assert b"".join(written) == b" " + text and tokens.ends[-1] == len(text), "a space is put before the text"
    assert b"th" in written and "é".encode() in written and b"\xe6" in written, "merged, whole, and byte by byte"


def test_a_panic_of_the_rust_library_is_a_problem(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class PanicException(BaseException):
        """As the Rust library raises it: it is no Exception, and has no name that could be imported."""

    def panics(*_: object) -> None:
        raise PanicException("index out of bounds\nand more")

    monkeypatch.setattr(gguf_tokenizer, "tokenizer_of", panics)
    with pytest.raises(Problem, match=r"the tokenizer of .*gguf cannot be read \(index out of bounds\)"):
        gguf_tokenizer.open_tokenizer(gguf_file.read(tiny))
    monkeypatch.setattr(gguf_tokenizer, "tokenizer_of", lambda _: (_ for _ in ()).throw(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):  # the control: anything else that is no Exception goes on its way
        gguf_tokenizer.open_tokenizer(gguf_file.read(tiny))
