"""tokenizer.json holds the rule, whatever class is named beside it; special tokens may stand in the files beside it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from arplay.core.errors import Problem
from arplay.models.alphabets import TextAlphabet, open_tokenizer
from tests.tiny_tokenizers import FAST, TRAINED_ON

CLASSES = (
    "GPT2Tokenizer",
    "GPT2TokenizerFast",
    "LlamaTokenizer",
    "LlamaTokenizerFast",
    "Qwen2Tokenizer",
    "CohereTokenizerFast",
    "GemmaTokenizerFast",
    "BertTokenizer",
    "T5TokenizerFast",
    "GPTNeoXTokenizer",
    "PreTrainedTokenizerFast",
    "TokenizersBackend",
    "NobodysTokenizer",
    None,
)
CL100K = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
NUMBERS = ["2023 12345 and 7 in 20 of 202", "I'LL we'll 2023 cats2023 x12y", "three 3 thirty 30 2023 202 23"]
TEXTS = [*NUMBERS, *TRAINED_ON[:2], "  The  cats\n\n\t!? don't DON'T", "caf\u00e9 \u65e5\u672c 3\u00bd", "a  b   c", ""]


def _byte_level(first: list[Any]) -> Tokenizer:
    """Merges of whole words, so that the rule alone decides which of them are used."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.Sequence(_split(r" ?\S+|\s+"))
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|endoftext|>", "<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator([*TRAINED_ON, *NUMBERS * 3], trainer)
    made.pre_tokenizer = pre_tokenizers.Sequence(first)
    return made


def _split(rule: str) -> list[Any]:
    return [
        pre_tokenizers.Split(Regex(rule), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ]


RULES: dict[str, Callable[[], Tokenizer]] = {
    "byte level": lambda: _byte_level([pre_tokenizers.ByteLevel(add_prefix_space=False)]),
    "cl100k": lambda: _byte_level(_split(CL100K)),
    "one digit": lambda: _byte_level(_split(CL100K.replace("{1,3}", ""))),
    "digits first": lambda: _byte_level(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    ),
    "whole words": lambda: _byte_level(_split(r" ?\S+|\s+")),
    "no words": lambda: _byte_level([pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]),
    "metaspace": FAST["llama_first"],
    "marked by normalisers": FAST["llama"],
    "unigram": FAST["t5"],
    "BERT": FAST["wordpiece"],
    "whole words alone": FAST["word_level"],
}


@cache
def saved(rule: str) -> str:
    return RULES[rule]().to_str()


def write(folder: Path, text: str, beside: object = None, /, **others: object) -> Path:
    (folder / "tokenizer.json").write_text(text)
    for name, content in {"tokenizer_config": beside, **others}.items():
        if content is not None:
            (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


def opened(folder: Path, size: int = 700) -> TextAlphabet:
    return open_tokenizer(folder, size)


def own_ids(text: str, tokenizer: Tokenizer) -> list[int]:
    tokenizer.encode_special_tokens = True
    return list(tokenizer.encode(text, add_special_tokens=False).ids)


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("rule", RULES)
def test_the_name_of_a_class_changes_no_id(rule: str, name: str | None, tmp_path: Path) -> None:
    folder = write(tmp_path, saved(rule), {} if name is None else {"tokenizer_class": name})
    alphabet, itself = opened(folder), Tokenizer.from_file(str(folder / "tokenizer.json"))
    for text in TEXTS:
        assert alphabet.encode(text.encode()).ids.tolist() == own_ids(text, itself)


def test_the_librarys_class_of_that_name_would_change_them(tmp_path: Path) -> None:
    """Negative control: the rules differ in a text of digits, and a class of the library undoes what the file says."""
    from transformers import AutoTokenizer

    digits = {tuple(own_ids("2023", Tokenizer.from_str(saved(rule)))) for rule in ("cl100k", "one digit", "BERT")}
    assert len(digits) == 3
    folder = write(tmp_path, saved("one digit"), {"tokenizer_class": "GPT2Tokenizer"})
    (folder / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
    library = AutoTokenizer.from_pretrained(str(folder)).encode("2023", add_special_tokens=False)
    assert library != opened(folder).encode(b"2023").ids.tolist()


def test_opening_one_does_not_import_transformers(tmp_path: Path) -> None:
    write(tmp_path, saved("cl100k"), {"tokenizer_class": "Qwen2Tokenizer", "add_bos_token": True, "bos_token": "<s>"})
    program = (
        "import sys; from pathlib import Path; from arplay.models.alphabets import open_tokenizer;"
        f"open_tokenizer(Path({str(tmp_path)!r}), 500); print('transformers' in sys.modules, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == ["False", "False"]


TOKENS = st.sampled_from(["<a>", "[PAD]", "<|im_start|>", "the", "\u0120cat", "<s>", "</s>", "qq", "\u65e5"])
ROLES = ("bos_token", "eos_token", "unk_token", "pad_token", "mask_token", "image_token")
CONFIGS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(ROLES, TOKENS | st.none()),
        "additional_special_tokens": st.lists(TOKENS, max_size=3, unique=True),
        "extra_special_tokens": st.lists(TOKENS, max_size=3, unique=True)
        | st.dictionaries(st.sampled_from(["a_token", "b_token"]), TOKENS, max_size=2),
    },
)


@settings(max_examples=40, deadline=None)
@given(config=CONFIGS, listed=st.lists(TOKENS, max_size=4, unique=True) | st.none(), special=st.booleans())
def test_special_tokens_beside_the_file_are_those_of_the_library(
    config: dict[str, Any], listed: list[str] | None, special: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The library's shell around the file, which has no rule of its own, says which tokens it adds, in which order."""
    from transformers import PreTrainedTokenizerFast

    folder, made = tmp_path_factory.mktemp("t"), Tokenizer.from_str(saved("cl100k"))
    if listed is not None:
        made.add_tokens([AddedToken(token, special=special, normalized=False) for token in listed])
        flags = {"special": special, "normalized": False, "lstrip": False, "rstrip": False, "single_word": False}
        decoder = {str(made.token_to_id(token)): {"content": token, **flags} for token in listed}
        config = {**config, "added_tokens_decoder": decoder}
    write(folder, saved("cl100k"), {"tokenizer_class": "GPT2Tokenizer", **config})
    library = PreTrainedTokenizerFast.from_pretrained(str(folder))
    alphabet = opened(folder)
    text = "<a>the cat[PAD] <|im_start|>qq <s>\u65e5</s> 2023"
    assert alphabet.encode(text.encode(), special=True).ids.tolist() == library.encode(text)
    extra, former = (config.get(f"{key}_special_tokens") or [] for key in ("extra", "additional"))
    extra = [*extra.values(), *former] if isinstance(extra, dict) else extra or former
    named = {token.content for token in library.added_tokens_decoder.values() if token.special} | {*extra}
    assert alphabet.vocabulary.special == {id for id, t in library.added_tokens_decoder.items() if t.content in named}
    for role in ("bos", "eos"):
        assert getattr(alphabet, role) == getattr(library, f"{role}_token_id")


def test_a_token_of_the_config_alone_is_found(tmp_path: Path) -> None:
    text = saved("cl100k")
    plain = opened(write(tmp_path, text, {}))
    assert len(plain.encode(b"<a>", special=True)) > 1, "negative control"
    for config in (
        {"added_tokens_decoder": {str(Tokenizer.from_str(text).get_vocab_size()): {"content": "<a>", "special": True}}},
        {"additional_special_tokens": ["<a>"]},
        {"additional_special_tokens": [{"content": "<a>"}]},
        {"extra_special_tokens": {"image_token": "<a>"}},
        {"pad_token": {"__type": "AddedToken", "content": "<a>", "lstrip": False}},
    ):
        alphabet = opened(write(tmp_path, text, config))
        (id,) = alphabet.encode(b"<a>", special=True).ids.tolist()
        assert alphabet.vocabulary.token(id).special and alphabet.vocabulary.token(id).data == b"<a>"
        assert len(alphabet.encode(b"<a>")) > 1  # typed, it is its letters


def test_older_folders_name_them_in_files_of_their_own(tmp_path: Path) -> None:
    text = saved("cl100k")
    count = Tokenizer.from_str(text).get_vocab_size()
    folder = write(
        tmp_path, text, {}, special_tokens_map={"bos_token": "<s>", "pad_token": "[PAD]"}, added_tokens={"<a>": count}
    )
    alphabet = opened(folder)
    assert alphabet.bos == Tokenizer.from_str(text).token_to_id("<s>")
    assert alphabet.encode(b"<a>[PAD]", special=True).ids.tolist() == [count, count + 1]


def test_a_model_says_its_bos_where_its_tokenizer_does_not(tmp_path: Path) -> None:
    numbers = {"config": {"bos_token_id": 1}, "generation_config": {"eos_token_id": [2, 0]}}
    folder = write(tmp_path, saved("cl100k"), {}, **numbers)
    assert (opened(folder).bos, opened(folder).eos) == (1, 2)
    write(tmp_path, saved("cl100k"), {"bos_token": None})
    assert opened(folder).bos is None


@pytest.mark.parametrize("adds_bos", [True, False])
@pytest.mark.parametrize("adds_eos", [True, False])
@pytest.mark.parametrize("template", [None, "<s> $A", "$A </s>"])
def test_the_file_says_what_stands_around_a_text_or_else_the_config(
    adds_bos: bool, adds_eos: bool, template: str | None, tmp_path: Path
) -> None:
    made = Tokenizer.from_str(saved("cl100k"))
    if template:
        made.post_processor = processors.TemplateProcessing(single=template, special_tokens=[("<s>", 1), ("</s>", 2)])
    config = {"bos_token": "<s>", "eos_token": "</s>", "add_bos_token": adds_bos, "add_eos_token": adds_eos}
    expected = "<s>" in template if template else adds_bos
    assert opened(write(tmp_path, made.to_str(), config)).lead == ((1,) if expected else ())


def test_a_token_whose_id_is_not_free_is_told(tmp_path: Path) -> None:
    folder = write(tmp_path, saved("cl100k"), {"added_tokens_decoder": {"650": {"content": "<a>", "special": True}}})
    with pytest.raises(Problem, match="'<a>' has the id 650"):
        opened(folder)


@pytest.mark.parametrize(
    "config",
    [
        {"added_tokens_decoder": {"1": 5}},
        {"added_tokens_decoder": {"x": {"content": "<a>"}}},
        {"added_tokens_decoder": [1]},
        {"bos_token": {"content": 3}},
        {"extra_special_tokens": [1, 2]},
        {"extra_special_tokens": 7},
    ],
    ids=str,
)
def test_a_config_of_other_things_than_tokens_is_a_problem(config: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(Problem, match="cannot be read"):
        opened(write(tmp_path, saved("cl100k"), config))
