"""Special tokens that stand beside tokenizer.json: in tokenizer_config.json, or in the older files of their own.

tokenizer.json is the rule that cuts text; what these files name is added where it lacks it, in the order in which
transformers adds it, so that the ids are the same. A class's name in them changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenizers import AddedToken, Tokenizer

_ROLES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
_FLAGS = ("single_word", "lstrip", "rstrip", "normalized", "special")


def add_special(tokenizer: Tokenizer, config: Mapping[str, Any]) -> None:
    """Add to ``tokenizer`` what ``config`` names, and what it puts around a text if the file says nothing of that.

    ``config`` is tokenizer_config.json (with what :func:`older` adds to it). Raises ValueError where it gives a token
    another id than it gets, TypeError where it holds something else than tokens.
    """
    there = {token.content: token for token in tokenizer.get_added_tokens_decoder().values()}
    named = {token.content: token for token in _named(config) if token.content}
    listed = {int(id): _token(token, False) for id, token in (config.get("added_tokens_decoder") or {}).items()}
    for id, token in sorted(listed.items()):
        token.special = token.special or token.content in named
        if token.content and repr(there.get(token.content)) != repr(token):
            tokenizer.add_tokens([token])  # an added token that is there already takes over these flags
            if (found := tokenizer.token_to_id(token.content)) != id and token.content not in there:
                raise ValueError(f"{token.content[:60]!r} has the id {id} beside tokenizer.json, with it {found}")
        named.pop(token.content, None)
    tokenizer.add_special_tokens([token for content, token in named.items() if content not in there])
    if tokenizer.post_processor is None:
        _frame(tokenizer, config)


def older(config: Mapping[str, Any], special_map: Mapping[str, Any], added: Mapping[str, Any]) -> dict[str, Any]:
    """``config`` with special_tokens_map.json and added_tokens.json, which count where it lists no tokens itself."""
    if "added_tokens_decoder" in config:
        return dict(config)
    merged = {**config, **special_map}
    special = {token.content for token in _named(merged)}
    decoder = {
        id: {"content": content, "special": content in special, "normalized": content not in special}
        for content, id in added.items()
    }
    return merged | {"added_tokens_decoder": decoder}


def role_id(tokenizer: Tokenizer, config: Mapping[str, Any], model: Mapping[str, Any], role: str) -> int | None:
    """The id of ``bos`` or ``eos``: of the token that ``config`` names, else the number in the ``model``'s config."""
    key = f"{role}_token"
    if key in config:
        return None if config[key] is None else tokenizer.token_to_id(_token(config[key], True).content)
    id = model.get(f"{key}_id")
    id = id[0] if isinstance(id, list) and id else id
    return id if type(id) is int and tokenizer.id_to_token(id) is not None else None


def _named(config: Mapping[str, Any]) -> Iterator[AddedToken]:
    """The tokens that have a role, then those without: a list, or a name for each."""
    others = [key for key in config if key.endswith("_token") and key not in _ROLES]
    for key in (*_ROLES, *others):
        if isinstance(config.get(key), str | dict):
            yield _token(config[key], True)
    extra, former = (config.get(f"{key}_special_tokens") or [] for key in ("extra", "additional"))
    for value in [*extra.values(), *former] if isinstance(extra, dict) else extra or former:
        yield _token(value, True)


def _token(value: Any, special: bool) -> AddedToken:
    from tokenizers import AddedToken

    if isinstance(value, dict):
        flags = {key: bool(value[key]) for key in _FLAGS if key in value}
        value, flags = value.get("content"), flags | ({"special": True} if special else {})
    else:
        flags = {"special": special}
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:60]!r} is no token")
    return AddedToken(value, **flags)


def _frame(tokenizer: Tokenizer, config: Mapping[str, Any]) -> None:
    """BOS before a text and EOS behind it where ``add_bos_token`` and ``add_eos_token`` say so."""
    from tokenizers import processors

    around = {role: role_id(tokenizer, config, {}, role) for role in ("bos", "eos") if config.get(f"add_{role}_token")}
    ids = {role.upper(): id for role, id in around.items() if id is not None}
    if ids:
        single = [role for role in ("BOS", "$A", "EOS") if role == "$A" or role in ids]
        special = [{"id": role, "ids": [id], "tokens": [tokenizer.id_to_token(id)]} for role, id in ids.items()]
        tokenizer.post_processor = processors.TemplateProcessing(single=single, special_tokens=special)
