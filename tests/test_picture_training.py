"""``arplay train`` on pictures of one's own, and what is read and written of picture files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import arplay
from arplay import cli
from arplay.core.errors import Problem
from arplay.core.modalities.image import Picture, Raster, signs_of
from arplay.models.families.pixelcnn.network import pixelcnn
from arplay.models.picturefile import levels_of, read_picture, said, write_picture
from arplay.training import pictures, yardsticks
from arplay.training.make import make
from arplay.training.order import RunRequest
from arplay.training.run_folder import Report, RunFolder
from arplay.training.sizes import Sizes, convolutional, pixelcnn_parameters

SIZE = ["--tokens", "20000", "--params", "2000", "--threads", "1"]


def paint(folder: Path, count: int = 45, shape: tuple[int, ...] = (5, 4), seed: int = 0) -> Path:
    """Pictures that differ, white above and black below."""
    folder.mkdir(exist_ok=True)
    draw = np.random.default_rng(seed)
    for number in range(count):
        grey = np.full(shape, 255, np.uint8)
        grey[draw.integers(1, shape[0]) :] = draw.integers(0, 200)
        grey[-1, number % shape[1]] = number
        Image.fromarray(grey).save(folder / f"{number:03d}.png")
    return folder


def train(*arguments: object) -> int:
    return cli.main(["train", *map(str, arguments)])


def test_pictures_of_ones_own_are_learnt_and_opened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = paint(tmp_path / "mine"), tmp_path / "out"
    assert train(folder, "--family", "pixelcnn", "--vocab", "4", "--out", out, *SIZE) == 0
    told = capsys.readouterr().out
    assert "45 pictures" not in told and "pictures of 5 × 4 pixels of 4 levels" in told and "bits/dimension" in told
    assert "bits per dimension" in told and "bits per dimension" in (out / "README.md").read_text("utf-8")
    assert "--prompt" not in told, "what is told to try needs no text"
    model = arplay.load(out)
    score = model.score(folder / "003.png")
    assert len(score.ids) == 20 and (score.bits_per_dimension or 9) < 2, "less than a level drawn blindly"
    assert cli.main(["sample", "--model", str(out), "--seed", "1", "--out", str(tmp_path / "new.png")]) == 0
    assert cli.main(["sample", "--model", str(out), "--seed", "1"]) == 0
    rows = capsys.readouterr().out.split()
    assert read_picture(tmp_path / "new.png", Raster(5, 4, signs_of(4), tuple(range(20)))).rows == rows


def test_a_run_of_pictures_goes_on_and_gives_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = paint(tmp_path / "mine")
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert train(folder, "--family", "pixelcnn", "--out", whole, *SIZE) == 0
    order = RunRequest((folder,), cut, "pixelcnn", params=2000, tokens=20000, threads=1)
    assert not make(order, lambda line: None, stop_at_once(cut))
    assert RunFolder(cut).resumable()
    (cut / "training" / "stop").unlink(missing_ok=True)
    assert train("--resume", "--out", cut) == 0
    assert (cut / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    assert not make(replace(order, out=tmp_path / "again"), lambda line: None, stop_at_once(tmp_path / "again"))
    (tmp_path / "again" / "training" / "stop").unlink(missing_ok=True)
    paint(folder, seed=1)
    assert train("--resume", "--out", tmp_path / "again") == 1
    assert "not what they were" in capsys.readouterr().err


def stop_at_once(out: Path) -> Callable[[Report], None]:
    told: list[Report] = []

    def tell(report: Report) -> None:
        told.append(report)
        if len(told) == 1:
            (out / "training" / "stop").touch()

    return tell


def spoil(folder: Path, kind: str) -> None:
    first, other = folder / "000.png", folder / "001.png"
    if kind == "sizes":
        Image.new("L", (9, 9)).save(other)
    elif kind == "colour":
        Image.new("RGB", (4, 5), (9, 99, 200)).save(other)
    elif kind == "corrupt":
        other.write_bytes(other.read_bytes()[:40])
    elif kind == "few":
        for path in sorted(folder.iterdir())[3:]:
            path.unlink()
    elif kind == "large":
        Image.new("L", (100, 100)).save(first)
    elif kind == "alike":
        for path in folder.iterdir():
            path.write_bytes(first.read_bytes())


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("sizes", "several sizes: 000.png 4 × 5, 001.png 9 × 9"),
        ("colour", "001.png is in colour"),
        ("corrupt", "001.png cannot be read"),
        ("few", "there are 3 pictures"),
        ("large", "000.png has 100 × 100 pixels"),
        ("alike", "all of the pictures are alike"),
    ],
)
def test_what_cannot_be_learnt_is_told(
    tmp_path: Path, kind: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = paint(tmp_path / "mine")
    spoil(folder, kind)
    assert train(folder, "--family", "pixelcnn", "--out", tmp_path / "out", *SIZE) == 1
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "told"),
    [(("--vocab", 300), "300 levels"), (("--context", 9), "no context"), (("--vocab", 1), "1 levels")],
)
def test_what_pictures_have_not_is_told(
    tmp_path: Path, more: tuple[object, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(paint(tmp_path / "mine"), "--family", "pixelcnn", "--out", tmp_path / "out", *more) == 1
    assert told in capsys.readouterr().err


def test_one_stack_is_trained_where_it_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "plain"
    assert (
        train(
            paint(tmp_path / "mine"),
            "--family",
            "pixelcnn",
            "--out",
            out,
            "--stacks",
            1,
            "--params",
            2000,
            "--tokens",
            900,
        )
        == 0
    )
    assert "with a blind spot" in arplay.load(out).backend.wiring  # type: ignore[attr-defined]
    assert train(tmp_path / "a.txt", "--family", "rnn", "--out", tmp_path / "x", "--stacks", 1) == 2
    assert "--stacks is for --family pixelcnn" in capsys.readouterr().err


def test_a_text_is_no_folder_of_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.txt").write_text("words")
    assert train(tmp_path / "a.txt", "--family", "pixelcnn", "--out", tmp_path / "out") == 1
    assert "is no folder" in capsys.readouterr().err


@settings(max_examples=30, deadline=None)
@given(st.data(), st.integers(2, 256))
def test_a_picture_comes_back_from_its_file(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, levels: int
) -> None:
    cells = data.draw(st.lists(st.integers(0, levels - 1), min_size=6, max_size=6))
    raster = Raster(2, 3, signs_of(levels), tuple(range(6)))
    path = tmp_path_factory.mktemp("picture") / "x.png"
    write_picture(path, Picture(3, raster.signs, tuple(cells)))
    assert read_picture(path, raster).cells == tuple(cells)
    assert not said(path, raster)


def test_what_is_done_to_a_picture_is_said(tmp_path: Path) -> None:
    raster = Raster(3, 3, signs_of(4), tuple(range(9)))
    noise = np.random.default_rng(0).integers(0, 256, (9, 18, 3)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "x.png")
    assert len(read_picture(tmp_path / "x.png", raster)) == 9
    told = said(tmp_path / "x.png", raster)
    assert "scaled from 18 × 9 to 3 × 3" in told and "without its colours" in told and "cut into 4 levels" in told


def test_bits_and_transparency_and_turns_are_said_and_right(tmp_path: Path) -> None:
    raster, path = Raster(3, 3, signs_of(256), tuple(range(9))), tmp_path / "x.png"
    ink = np.arange(9, dtype=np.uint8).reshape(3, 3) * 30

    def got(image: Image.Image, told: str, **options: object) -> list[int | None]:
        image.save(path, "PNG", **options)
        assert told in said(path, raster)
        return list(read_picture(path, raster).cells)

    assert got(Image.fromarray((255 - ink).astype(np.uint16) * 257), "16 bits read as 8") == ink.ravel().tolist()
    clear = Image.fromarray(np.dstack([np.zeros((3, 3, 3), np.uint8), ink]))  # black, the less the more it is clear
    assert got(clear, "laid on white where it is transparent") == ink.ravel().tolist()
    turned = Image.Exif()
    turned[0x0112] = 3
    assert got(Image.fromarray(255 - ink), "turned as it says itself", exif=turned) == ink.ravel()[::-1].tolist()
    frames = [Image.fromarray(255 - ink), Image.fromarray(ink)]
    several = {"save_all": True, "append_images": frames[1:]}
    assert got(frames[0], "the first of its 2 pictures", **several) == ink.ravel().tolist()


def test_an_incomplete_picture_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="not complete"):
        write_picture(tmp_path / "x.png", Picture(2, ".#", (0, None)))
    with pytest.raises(Problem, match="cannot be written"):
        write_picture(tmp_path / "none" / "x.png", Picture(2, ".#", (0, 1)))


def test_parameters_are_those_of_the_network() -> None:
    for width, layers, rows, columns, levels, stacks in ((4, 1, 2, 3, 2, 0), (6, 3, 5, 4, 17, 2), (6, 3, 5, 4, 17, 1)):
        made = pixelcnn(levels, width, layers, rows, columns, rows * columns, stacks)
        sizes = Sizes(width, layers, rows=rows, columns=columns, stacks=stacks)
        assert made.num_parameters() == pixelcnn_parameters(sizes, levels)
    assert convolutional(10**6, 8).width > convolutional(10**5, 8).width


def test_no_held_out_picture_is_trained_on() -> None:
    some = np.random.default_rng(0).integers(0, 2, (200, 1, 4)).astype(np.uint8)
    training, held_out = pictures.split(some, 40)
    assert len(held_out) == 5 and len(training)
    assert not {picture.tobytes() for picture in training} & {picture.tobytes() for picture in held_out}


def test_yardsticks_of_noise_are_its_entropy() -> None:
    noise = np.random.default_rng(0).integers(0, 8, (400, 10, 10)).astype(np.uint8)
    assert yardsticks.independent(noise, noise) / noise.size == pytest.approx(3, abs=0.05)
    for column in (yardsticks.png, yardsticks.webp, yardsticks.xz):
        assert 2.99 < column(noise) / noise.size < 5
    assert (levels_of(np.arange(256, dtype=np.uint8), 8) == np.arange(256) // 32).all()


def test_digits_is_shipped_and_better_than_independent_pixels() -> None:
    model = arplay.load("digits")
    assert model.loaded.info.family == "PixelCNN"
    sample = model.sample("", 64, seed=1)
    assert sample.stopped in ("complete", "length") and len(sample.text.split()) == 8
    assert (model.score(sample.text).bits_per_dimension or 9) < 2.9


def test_fashion_is_shipped_and_draws_side_by_side() -> None:
    model = arplay.load("fashion")
    assert model.loaded.info.family == "PixelCNN" and model.loaded.vocabulary.length == 784
    half = f"{'.' * 28}\n" * 6 + "." * 10 + "=ow@"
    started = model.rollouts(half, 4, 12, seed=0)
    assert len({tuple(each.ids) for each in started}) > 1
    for each in started:
        assert len(each.ids) == 12 and each.logprob < 0
