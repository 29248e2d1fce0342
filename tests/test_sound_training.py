"""``arplay train`` on WAV files of one's own, and the table of a sound model's card."""

from __future__ import annotations

import signal
from pathlib import Path

import numpy as np
import pytest

import arplay
from arplay import cli
from arplay.core.errors import Problem
from arplay.core.modalities.sound import Amplitudes
from arplay.models.families.wavenet.network import wavenet
from arplay.models.wavefile import read_sound
from arplay.training import sound_yardsticks, sounds
from arplay.training.make import make
from arplay.training.order import RunRequest
from arplay.training.run_folder import Report, RunFolder
from arplay.training.sizes import Sizes, wavenet_parameters
from tests.test_sound import write

SIZE = ["--tokens", "12000", "--params", "9k", "--context", "400", "--threads", "1"]
LONGER = ["--tokens", "64000", "--params", "9k", "--context", "200", "--threads", "1"]
TOKENS = Amplitudes(8000)


def sing(folder: Path, count: int = 12, seconds: float = 0.1, seed: int = 0) -> Path:
    """Tones of several pitches."""
    folder.mkdir(exist_ok=True)
    for number in range(count):
        pitch = 200 + 40 * number + seed
        wave = 9000 * np.sin(2 * np.pi * pitch * np.arange(round(8000 * seconds)) / 8000)
        write(folder / f"{number:02d}.wav", np.rint(wave))
    return folder


def train(*arguments: object) -> int:
    return cli.main(["train", *map(str, arguments)])


def test_sounds_of_ones_own_are_learnt_continued_and_scored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = sing(tmp_path / "mine"), tmp_path / "out"
    both = np.stack([np.arange(2000), np.arange(2000)], axis=1).ravel()
    write(folder / "other.wav", both, rate=16000, channels=2)
    assert train(folder, "--family", "wavenet", "--out", out, *LONGER) == 0
    told = capsys.readouterr().out
    assert "resampled to 8,000 Hz: 1 of 16,000 Hz; 12 had that rate" in told
    assert "mixed to one channel: 1 of 13 files" in told and "bits/sample" in told and "--prompt" not in told
    assert "bits per sample" in told and "bits per sample" in (out / "README.md").read_text("utf-8")
    score = arplay.load(out).score(folder / "03.wav")
    assert len(score.ids) == 800 and (score.bits_per_sample or 9) < 7.9, "less than a level drawn blindly"
    word, new = folder / "00.wav", tmp_path / "new.wav"
    assert cli.main(["sample", "--model", str(out), "--file", str(word), "-n", "150", "--out", str(new)]) == 0
    found, before = read_sound(new, TOKENS)[0], read_sound(word, TOKENS)[0]
    assert len(found) == 950 and found.samples[:800] == before.samples
    for other in (["--out", "word.mp3"], ["--rollouts", "2", "--out", "word.wav"]):
        assert cli.main(["sample", "--model", str(out), "-n", "2", *other]) == 1
        assert "one sample into *.wav, or text into *.txt" in capsys.readouterr().err
    assert cli.main(["sample", "--model", str(out), "-n", "150", "--file", str(word)]) == 0
    assert bytes(map(int, capsys.readouterr().out.split())) == found.samples
    assert cli.main(["score", str(folder / "other.wav"), "--model", str(out), "--json"]) == 0
    said = capsys.readouterr()
    assert '"bits_per_sample"' in said.out and "2 channels were mixed to one and resampled from 16,000 Hz" in said.err


def test_a_run_of_sounds_goes_on_and_gives_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = sing(tmp_path / "mine")
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert train(folder, "--family", "wavenet", "--out", whole, *SIZE) == 0
    order = RunRequest((folder,), cut, "wavenet", params=9000, context=400, tokens=12000, threads=1)
    assert not make(order, lambda line: None, stop_at_once)
    assert RunFolder(cut).resumable()
    sing(folder, seed=1)
    assert train("--resume", "--out", cut) == 1
    assert "not what they were" in capsys.readouterr().err
    sing(folder)
    assert train("--resume", "--out", cut) == 0
    assert (cut / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()


def stop_at_once(report: Report) -> None:
    """As Ctrl-C does; it is told once, since a second time would end at once."""
    if report.step == 0:
        signal.raise_signal(signal.SIGINT)


def spoil(folder: Path, kind: str) -> None:
    other = folder / "01.wav"
    if kind == "corrupt":
        other.write_bytes(b"no sound")
    elif kind == "cut":
        other.write_bytes(other.read_bytes()[:-100])
    elif kind == "empty":
        write(other, np.zeros(0))
    elif kind == "few":
        for path in sorted(folder.iterdir())[1:]:
            path.unlink()
    elif kind == "alike":
        for path in folder.iterdir():
            path.write_bytes(other.read_bytes())
    elif kind == "short":
        for path in folder.iterdir():
            write(path, np.arange(ord(path.name[1]) - 40))


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("corrupt", "01.wav cannot be read as a WAV file"),
        ("cut", "01.wav is cut off"),
        ("empty", "01.wav holds no samples"),
        ("few", "there is 1 WAV file in"),
        ("alike", "all of the sounds are alike"),
        ("short", "less than a context of 400"),
    ],
)
def test_what_cannot_be_learnt_is_told(
    tmp_path: Path, kind: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = sing(tmp_path / "mine")
    spoil(folder, kind)
    assert train(folder, "--family", "wavenet", "--out", tmp_path / "out", *SIZE) == 1
    assert told in capsys.readouterr().err


def test_what_makes_no_sense_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = sing(tmp_path / "mine")
    for more, told in ((("--vocab", 300), "256 levels"), (("--tokenizer", folder), "no tokenizer")):
        assert train(folder, "--family", "wavenet", "--out", tmp_path / "out", *SIZE, *more) == 1
        assert told in capsys.readouterr().err
    assert train(folder / "00.wav", "--family", "wavenet", "--out", tmp_path / "out", *SIZE) == 1
    assert "no folder" in capsys.readouterr().err


def test_some_are_held_out_and_in_no_training_row() -> None:
    files = [Path(f"{number}.wav") for number in range(300)]
    held = sounds.split(files, 10)
    assert 10 < sum(held) < 60
    assert sounds.split(files[:200], 10) == held[:200], "another file moves none"
    assert sum(sounds.split(files[:3], 1 << 60)) == 1


def test_parameters_are_counted_as_they_are() -> None:
    for sizes in (Sizes(4, 9, hidden=8, rate=8000), Sizes(7, 18, hidden=3, rate=8000)):
        made = wavenet(9, sizes.width, sizes.layers, sizes.hidden, 8000, 64)
        assert wavenet_parameters(sizes, 9) == made.num_parameters()
    with pytest.raises(Problem, match="no cycles"):
        wavenet(9, 4, 10, 4, 8000, 64)


def test_linear_prediction_knows_a_tone_and_no_noise() -> None:
    """What it predicts costs little; noise costs what independent samples do: the negative control."""
    draw = np.random.default_rng(0)
    tone = TOKENS.ids(0.5 * np.sin(np.arange(3000) / 7))
    noise = TOKENS.amplitudes[draw.integers(0, 256, 3000)]
    few, many = (sound_yardsticks.linear([TOKENS.ids(each)]) / 3000 for each in (TOKENS.amplitudes[tone], noise))
    assert few < 5 < 7.5 < many
    assert sound_yardsticks.independent([tone]) / 3000 > few + 1


def test_speech_is_shipped_and_knows_a_voice_from_noise() -> None:
    recipe = sounds.read_recipe(Path("assets/recipes/speech.toml"))
    model = arplay.load("speech")
    assert (recipe.name, recipe.held_out_every, recipe.network["rate"]) == ("speech", 10, TOKENS.rate)
    assert model.loaded.vocabulary == TOKENS and "receptive field 1,023 samples (128 ms)" in model.loaded.info.why
    spoken = model.sample("128", 400, seed=1).text  # its own samples cost it what its entropy is, noise far more
    noise = " ".join(map(str, np.random.default_rng(0).integers(0, 256, 401)))
    found = [model.score(each).bits_per_sample or 0.0 for each in (spoken, noise)]
    assert found[0] < 5 < 8 < found[1]
