"""Sounds: amplitudes and their ids, WAV files in and out, other rates, and how they are kept."""

from __future__ import annotations

import struct
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arplay.core.errors import Problem
from arplay.core.modalities import forms
from arplay.core.modalities.sound import Amplitudes, Sound, Splice
from arplay.core.tree import Plan
from arplay.models import documents
from arplay.models.wavefile import SoundReader, read_sound, read_wave, resample

TOKENS = Amplitudes(8000)


def write(path: Path, values: np.ndarray, width: int = 2, rate: int = 8000, channels: int = 1) -> Path:
    """Whole numbers of ``width`` bytes, the channels one after the other in each frame."""
    if width == 1:
        data = (values + 128).astype(np.uint8).tobytes()
    else:
        data = values.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :width].tobytes()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(data)
    return path


def riff(tag: int, channels: int, rate: int, bits: int, data: bytes, more: bytes = b"") -> bytes:
    """A WAV file, made by hand: the format's tag, and perhaps what an extensible one has behind."""
    block = channels * bits // 8
    head = struct.pack("<HHIIHH", tag, channels, rate, rate * block, block, bits) + more
    body = b"WAVEfmt " + struct.pack("<I", len(head)) + head + b"LIST\3\0\0\0abc\0data" + struct.pack("<I", len(data))
    return b"RIFF" + struct.pack("<I", len(body + data)) + body + data


@pytest.mark.parametrize("levels", [2, 3, 16, 255, 256])
def test_every_level_comes_back_and_has_a_label_of_its_own(levels: int) -> None:
    tokens = Amplitudes(8000, levels)
    every = np.arange(levels)
    np.testing.assert_array_equal(tokens.ids(tokens.amplitudes), every)
    assert (np.diff(tokens.amplitudes) > 0).all()
    assert [tokens.named(tokens.label(id)) for id in range(levels)] == every.tolist()
    sound = tokens.sound(bytes(range(levels)))
    assert SoundReader().typed(" ".join(map(str, range(levels))).encode(), tokens) == sound


@settings(max_examples=50, deadline=None)
@given(st.floats(-1, 1))
def test_the_nearest_level_is_within_a_step(y: float) -> None:
    id = int(TOKENS.ids(np.array([y]))[0])
    beside = TOKENS.amplitudes[[max(id - 1, 0), min(id + 1, 255)]]
    assert beside[0] <= y <= beside[1]


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=300), st.integers(2, 256), st.sampled_from([100, 8000, 44100]))
def test_a_file_of_a_sound_is_that_sound(
    tmp_path_factory: pytest.TempPathFactory, ids: bytes, levels: int, rate: int
) -> None:
    tokens = Amplitudes(rate, levels)
    sound = tokens.sound(bytes(id % levels for id in ids))
    path = tmp_path_factory.mktemp("wav") / "word.wav"
    path.write_bytes(sound.file)
    if len(sound):
        assert read_sound(path, tokens) == (sound, "")
    else:
        with pytest.raises(Problem, match="no samples"):
            read_sound(path, tokens)


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_every_width_is_the_same_sound(tmp_path: Path, width: int) -> None:
    top = 1 << (8 * width - 1)
    values = np.array([0, top // 2, -(top // 4), top - 1, -top])
    found, rate, channels = read_wave(write(tmp_path / "a.wav", values, width))
    assert (rate, channels) == (8000, 1)
    np.testing.assert_allclose(found, values / top, atol=0)


def test_floats_and_extensible_files_are_the_same_sound(tmp_path: Path) -> None:
    """As recorders and editors write them: floats, and 24 bits with a format that is told further behind."""
    wave, path = np.array([0.0, 0.5, -0.25, 1.5]), tmp_path / "a.wav"
    guid = bytes.fromhex("0100000000001000800000aa00389b71")
    whole = np.rint(wave[:3] * (1 << 23)).astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    for data, there in (
        (riff(3, 1, 8000, 32, wave.astype("<f4").tobytes()), 4),
        (riff(3, 1, 8000, 64, wave.astype("<f8").tobytes()), 4),
        (riff(0xFFFE, 1, 8000, 24, whole, struct.pack("<HHI", 22, 24, 4) + guid), 3),
    ):
        path.write_bytes(data)
        np.testing.assert_allclose(read_wave(path)[0], wave[:there], atol=1e-6)
    path.write_bytes(riff(3, 1, 8000, 32, wave.astype("<f4").tobytes()))
    assert read_sound(path, TOKENS)[1] == "a.wav: 1 samples louder than a full tone were cut to one"


def test_what_is_done_to_a_file_is_told(tmp_path: Path) -> None:
    left = np.rint(12000 * np.sin(2 * np.pi * 300 * np.arange(22050) / 44100))
    both = np.stack([left, np.zeros_like(left)], axis=1).ravel()
    sound, said = read_sound(write(tmp_path / "a.wav", both, rate=44100, channels=2), TOKENS)
    assert said == "a.wav: 2 channels were mixed to one and resampled from 44,100 Hz to the model's 8,000 Hz"
    assert len(sound) == 4000
    wanted = 6000 / 32768 * np.sin(2 * np.pi * 300 * np.arange(4000) / 8000)
    assert np.abs(sound.wave - wanted)[50:-50].max() < 0.01


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([4000, 8000, 11025, 22050, 44100, 48000]),
    st.sampled_from([8000, 16000, 22050]),
    st.floats(0.05, 0.4),
)
def test_a_tone_keeps_its_pitch_and_another_one_goes(rate: int, wanted: int, part: float) -> None:
    """Below the lower rate's half all is kept; what lies above would fold and is removed: the negative control."""
    times, low = np.arange(rate // 4) / rate, min(rate, wanted)
    tone = np.sin(2 * np.pi * part * low * times)
    made = resample(tone, rate, wanted)
    assert len(made) == -(-len(tone) * wanted // rate)
    inside = slice(len(made) // 8, -len(made) // 8)
    expected = np.sin(2 * np.pi * part * low * np.arange(len(made)) / wanted)
    assert np.abs(made - expected)[inside].max() < 2e-3
    if rate > 1.5 * wanted:
        high = np.sin(2 * np.pi * 0.6 * wanted * times)
        assert np.abs(resample(high, rate, wanted))[inside].max() < 2e-3
        assert np.abs(high[:: rate // wanted]).max() > 0.5  # which leaving samples out would have kept


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "cannot be read as a WAV"),
        (b"RIFF\x04\x00\x00\x00WAVE", "cannot be read as a WAV"),
        (b"ID3 no wave at all, but some bytes", "cannot be read as a WAV"),
        (TOKENS.sound(bytes(200)).file[:-50], "cut off"),
        (riff(3, 1, 8000, 16, b"1234"), "floats of 16 bits"),
        (riff(17, 1, 8000, 4, b"1234"), "compressed format 17 of 4 bits"),
        (riff(1, 0, 8000, 16, b"1234"), "0 channels"),
        (riff(1, 2, 8000, 16, b"123456"), "cut off"),
        (riff(3, 1, 8000, 32, np.array([0, np.nan], "<f4").tobytes()), "no numbers"),
        (TOKENS.sound(b"").file, "no samples"),
    ],
)
def test_what_is_no_sound_is_told(tmp_path: Path, data: bytes, match: str) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(data)
    with pytest.raises(Problem, match=match):
        read_sound(path, TOKENS)


def test_what_python_gives() -> None:
    ids = bytes([128, 130, 3])
    assert documents.document("128 130  3", TOKENS) == TOKENS.sound(ids)
    assert documents.document(TOKENS.amplitudes[list(ids)], TOKENS) == TOKENS.sound(ids)
    for wrong, match in (
        ("1 999", "ids"),
        (np.array([2.0]), "no sound"),
        ("none.wav", "cannot be read"),
        (3, "nothing"),
    ):
        with pytest.raises(Problem, match=match):
            documents.document(wrong, TOKENS)  # type: ignore[arg-type]
    with pytest.raises(Problem, match="no level"):
        documents.document("5", Amplitudes(8000, 4))
    with pytest.raises(Problem, match="the model 16,000"):
        TOKENS.sound(ids).encoded(Amplitudes(16000))


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=20), st.integers(0, 20), st.integers(0, 255))
def test_an_edit_goes_both_ways_and_is_kept(samples: bytes, caret: int, id: int) -> None:
    sound, form = TOKENS.sound(samples), forms.of_document(TOKENS.sound(b""))
    caret = min(caret, len(samples))
    edit, after = sound.take(caret, id, TOKENS)
    taken = sound.apply(edit)
    assert (taken.samples, after) == (samples[:caret] + bytes([id]), caret + 1)
    assert taken.apply(edit.inverse) == sound
    assert form.start_in(form.start_out(taken)) == taken
    put = form.put_in(form.put_out(form.put_of(edit)))
    assert form.edit_in(sound, Plan(1, 0, "picked", put, after)) == edit
    if samples:
        with pytest.raises(ValueError, match="another sound"):
            Sound(8000, 256).apply(Splice(0, samples, b""))


@pytest.mark.parametrize(
    "fact",
    [
        {"rate": 0, "levels": 256, "samples": ""},
        {"rate": 8000, "levels": 1, "samples": ""},
        {"rate": 8000, "levels": 999, "samples": ""},
        {"rate": 8000, "levels": 3, "samples": "/w=="},
        {"rate": 8000, "levels": 3, "samples": "no base64"},
        {"rate": 8000, "levels": 3, "samples": 5},
    ],
)
def test_what_is_no_kept_sound_is_told(fact: object) -> None:
    with pytest.raises(ValueError):
        forms.of_start(fact).start_in(fact)
