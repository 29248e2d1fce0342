"""Prompt layouts of chat models that are known, told by their special tokens. No template of a model is ever run."""

from __future__ import annotations

import re
from dataclasses import dataclass

from arplay.core.errors import Problem
from arplay.core.modalities.base import TokenSet
from arplay.core.modalities.runs import Fixed, Run, Typed, normal
from arplay.core.modalities.text import Text


@dataclass(frozen=True, slots=True)
class Layout:
    """How a chat is written. ``head`` is a system prompt, ``turn`` what the user says and the start of the reply.

    ``{}`` stands for what was said; ``marks`` are the special tokens that stand for themselves in both. BOS is none of
    them: it is the reading's own to put before a text. Without a ``head`` the system prompt begins the user's turn.
    """

    name: str
    marks: tuple[str, ...]
    head: str
    turn: str
    before_reply: str = ""


LAYOUTS = (
    Layout(
        "ChatML",
        ("<|im_start|>", "<|im_end|>"),
        "<|im_start|>system\n{}<|im_end|>\n",
        "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n",
    ),
    Layout(
        "Llama 3",
        ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
        "<|start_header_id|>system<|end_header_id|>\n\n{}<|eot_id|>",
        "<|start_header_id|>user<|end_header_id|>\n\n{}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
    ),
    Layout(
        "Gemma",
        ("<start_of_turn>", "<end_of_turn>"),
        "",
        "<start_of_turn>user\n{}<end_of_turn>\n<start_of_turn>model\n",
    ),
    Layout("Mistral", ("[INST]", "[/INST]"), "", "[INST] {}[/INST]", before_reply=" "),
    Layout(
        "Phi",
        ("<|system|>", "<|user|>", "<|assistant|>", "<|end|>"),
        "<|system|>\n{}<|end|>\n",
        "<|user|>\n{}<|end|>\n<|assistant|>\n",
    ),
)


def layout_of(tokens: TokenSet) -> Layout:
    """The first one whose marks are all special tokens here. Raises Problem where there is none."""
    for layout in LAYOUTS:
        if all(tokens.named(mark) in tokens.special for mark in layout.marks):
            return layout
    names = ", ".join(layout.name for layout in LAYOUTS)
    cause = f"this model has the special tokens of no chat layout that is known ({names})"
    raise Problem(cause, "load a chat model, or write the text as that model was taught")


def chat(tokens: TokenSet, system: str, user: str, reply: str) -> Text:
    """The text of a chat up to the reply so far: marks are kept ids, all that was said is typed.

    So a mark that somebody wrote into what was said is letters, as long as the reading has it so. Raises Problem.
    """
    layout = layout_of(tokens)
    if any("\ud800" <= char <= "\udfff" for char in system + user + reply):
        raise Problem("the text holds half a character (a lone surrogate)", "copy it again as whole text")
    if not layout.head and system:
        user, system = f"{system}\n\n{user}", ""
    head = layout.head if system else ""
    runs: list[Run] = []
    for form, said in ((head, system), (layout.turn, user)):
        before, _, after = form.partition("{}")
        runs += [*_written(before, layout, tokens), Typed(said.encode()), *_written(after, layout, tokens)]
    start = layout.before_reply if reply else ""
    return Text(normal((*runs, Typed((start + reply).encode()))))


def _written(form: str, layout: Layout, tokens: TokenSet) -> list[Run]:
    runs: list[Run] = []
    for part in re.split("(" + "|".join(map(re.escape, layout.marks)) + ")", form):
        if part in layout.marks:
            id = tokens.named(part)
            assert id is not None, "the layout was recognised by it"
            runs.append(Fixed(tokens.name, (id,), (part.encode(),)))
        elif part:
            runs.append(Typed(part.encode()))
    return runs
