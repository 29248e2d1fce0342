"""``python -m arplay.training RECIPE``: fetch the texts, train the tokenizer and the network, write the folder."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from arplay import paths
from arplay.core.errors import Problem
from arplay.core.windows import Windows
from arplay.models.networks import llama, save
from arplay.training.bpe import save_tokenizer, train_bpe
from arplay.training.corpus import Document, Source, documents, read_recipe, split
from arplay.training.evaluate import score
from arplay.training.train import Ids, Run, Schedule, train

EVERY_SECONDS = 300.0


def main() -> None:
    """Do everything that the recipe says."""
    parser = argparse.ArgumentParser(prog="python -m arplay.training", description="Train a model from a recipe.")
    parser.add_argument("recipe", type=Path, help="for example assets/recipes/english.toml")
    parser.add_argument("--out", type=Path, help="the folder to write (default: assets/models/NAME)")
    parser.add_argument("--tokens", type=int, help="train on this many pieces instead of the recipe's number")
    parser.add_argument("--threads", type=int, default=1, help="threads for the arithmetic (default: 1)")
    parser.add_argument("--resume", action="store_true", help="continue from the last checkpoint")
    given = parser.parse_args()
    try:
        torch.set_num_threads(given.threads)
        make(given.recipe, given.out, given.tokens, given.resume)
    except Problem as problem:
        sys.exit(f"arplay: {problem}")


def make(recipe_path: Path, out: Path | None, tokens: int | None, resume: bool) -> None:
    """Train and write the model; every few minutes a checkpoint, the folder as it stands and a held-out figure."""
    recipe = read_recipe(recipe_path)
    out = out or paths.assets() / "models" / recipe.name
    checkpoint = paths.cache() / "training" / f"{recipe.name}.pt"
    if resume and not checkpoint.is_file():
        raise Problem(f"there is no checkpoint {checkpoint}", "start without --resume")
    schedule = Schedule(**recipe.schedule | ({"tokens": tokens} if tokens else {}))

    corpora = paths.cache() / "corpora"
    found = [document for source in recipe.sources for document in documents(source, corpora)]
    training, held_out = split(found, recipe.held_out_every, recipe.outside)
    tokenizer = train_bpe((document.text for document in training), recipe.vocabulary)
    save_tokenizer(tokenizer, out, schedule.context)
    encoded: list[Ids] = []
    for source in recipe.sources:
        texts = texts_of(source, training)
        ids = [np.array(tokenizer.encode(text).ids) for text in texts]
        encoded += ids * source.repeat
        size, pieces = sum(len(text.encode()) for text in texts), sum(map(len, ids))
        print(f"{source.name}: {len(texts)} documents, {size:,} bytes, {pieces:,} pieces, read {source.repeat}x")

    torch.manual_seed(schedule.seed)
    network = llama(vocabulary=tokenizer.get_vocab_size(), context=schedule.context, **recipe.network)
    run = Run(network, encoded, schedule)
    if resume:
        run.resume(checkpoint)
    print(f"{network.num_parameters():,} parameters, {schedule.steps:,} steps", flush=True)
    first = recipe.sources[0]
    sample = texts_of(first, held_out)[::4]  # enough to watch, and quick

    def pause(run: Run, loss: float) -> None:
        run.save(checkpoint)
        save(network, out)
        bits = held_out_bits(run, tokenizer, sample)
        done = run.step * schedule.batch * schedule.context
        print(
            f"{time.strftime('%H:%M:%S')} step {run.step}/{schedule.steps}, {done:,} pieces, "
            f"{done / run.seconds:,.0f} a second, loss {loss:.4f}, {first.name} {bits:.4f} bits per byte "
            f"({len(sample)} documents)",
            flush=True,
        )

    train(run, EVERY_SECONDS, pause)
    for source in recipe.sources:
        texts = texts_of(source, held_out)
        bits = held_out_bits(run, tokenizer, texts)
        print(f"held-out {source.name}: {len(texts)} documents, {bits:.4f} bits per byte")


def texts_of(source: Source, found: list[Document]) -> list[str]:
    """The texts of one source."""
    return [document.text for document in found if document.source == source.name]


def held_out_bits(run: Run, tokenizer: Tokenizer, texts: list[str]) -> float:
    """Bits per byte in float32, windows half a context apart."""
    return score(run.network, tokenizer, texts, Windows.half(run.schedule.context)).bits_per_byte


if __name__ == "__main__":
    main()
