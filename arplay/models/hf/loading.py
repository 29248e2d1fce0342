"""Loading a transformers folder: what it may be, where it runs, and a proof that its numbers mean what they should."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from arplay.core.errors import Problem
from arplay.core.importing import uncollected
from arplay.models.alphabets import TextAlphabet, open_tokenizer, opened
from arplay.models.base import Info, Report
from arplay.models.devices import Placement, choose, device_died, does_not_fit, machine, out_of_memory, placement
from arplay.models.hf import library, llama_folder
from arplay.models.hf.causal_lm import CausalLM
from arplay.models.hf.proof import proved
from arplay.models.hf.skeleton import check_skeleton
from arplay.models.libraries import import_torch, threads
from arplay.models.store.context import context_of
from arplay.models.store.folder import digest, inspect


def load(path: Path, name: str, device: str, dtype: str, report: Report) -> CausalLM:
    """Load a transformers folder. ``device`` and ``dtype`` as the user chose them, or "auto".

    Raises Problem for anything that would load silently wrong or run code (see models/store/folder.py), and whatever
    ``report`` raises to cancel.
    """
    folder = inspect(path)
    torch = import_torch(report)
    place = choose(machine(torch), device, dtype, path.name, folder.elements, folder.stored_dtype)
    report(None, "importing the model class")
    opening = partial(open_tokenizer, path)
    code = "the code that comes with it is not run" if folder.has_code else ""
    from safetensors import SafetensorError

    sizes, own = llama_folder.understood(folder, place.device if place.limits is None else "several devices")
    if sizes is not None:
        report(None, "reading the weights")
        try:
            network = llama_folder.build(folder, sizes, place.device, getattr(torch, place.dtype), report)
        except Exception as error:
            if (problem := _does_not_fit(path.name, place, error)) is not None:
                raise problem from error
            if isinstance(error, SafetensorError | OSError):
                raise Problem(f"{path.name} cannot be loaded: {str(error)[:200]}", "fetch the model again") from error
            raise
        said, own = llama_folder.compared(torch, network, folder)
        why = "; ".join(filter(None, (said, code)))
        if not own:
            family, weights, slower = folder.family, folder.weights, network.not_used
            return prove(torch, network, place, opening, report, path, name, family, weights, why, slower, "torch")
    with uncollected():
        transformers = library.quiet()
        config, auto = check_skeleton(torch, transformers, folder)  # imports the model's class
    # what generate() would do by default is no part of the model, and may be anything
    plain = transformers.GenerationConfig()
    network = read_network(torch, auto, path.name, place, report, str(path), config=config, generation_config=plain)
    if config.get_text_config() is not config:
        code = "; ".join(filter(None, ("of what it reads only the text is asked for", code)))
    not_used = (own,) if own else ()
    return prove(torch, network, place, opening, report, path, name, folder.family, folder.weights, code, not_used)


def prove(
    torch: Any,
    network: Any,
    place: Placement,
    tokenizer: Callable[[int], TextAlphabet],
    report: Report,
    path: Path,
    name: str,
    family: str,
    weights: Sequence[Path],
    why: str = "",
    not_used: tuple[str, ...] = (),
    engine: str = "transformers",
) -> CausalLM:
    """The model around a loaded network, once its numbers are proved; ``tokenizer`` takes the length of its logits.

    ``engine``: "torch" for a network of arplay's own, whose steps need nothing more to be fast.
    """
    report(1.0, "proving the model")
    parameters = sum(parameter.numel() for parameter in network.parameters())
    former = torch.get_num_threads()
    torch.set_num_threads(threads(parameters))
    try:
        proof = proved(torch, network, path.name)
        step, done = None, ""
        if engine == "transformers":
            from arplay.models.hf.fast_step import speed_up

            report(1.0, "making steps faster")
            faster = speed_up(network)
            step, done, not_used = faster.step, faster.done, (*not_used, *faster.not_used)
        report(1.0, "opening the tokenizer")
        alphabet = opened(lambda: tokenizer(proof.vocabulary), path.name)
    except BaseException:
        torch.set_num_threads(former)  # the model before it goes on
        raise
    info = Info(
        name=name,
        family=family,
        source=str(path),
        revision=digest(weights),
        dtype=place.dtype,
        device=place.device,
        vocabulary=proof.vocabulary,
        context=context_of(network.config.get_text_config().to_dict()),
        parameters=parameters,
        engine=engine,
        why="; ".join(filter(None, (place.why, why, done, alphabet.notes))),
        placement=placement(network.hf_device_map) if place.limits is not None else "",
        not_used=(*proof.not_used, *not_used),
    )
    return CausalLM(network, alphabet, info, proof, step)


def read_network(
    torch: Any, family: Any, label: str, place: Placement, report: Report, source: str | None, **arguments: Any
) -> Any:
    """``from_pretrained`` of the class ``family``, every weight accounted for; a Problem names the model ``label``."""
    report(None, "reading the weights")
    stopped: list[BaseException] = []

    def counted(factory: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Iterator[Any]:
        """What stands where transformers would draw a progress bar; ``report`` may raise to cancel the load."""
        for i, item in enumerate(args[0]):
            try:
                report(i / len(args[0]), "loading weights")
            except BaseException as error:
                stopped.append(error)
                raise
            yield item

    try:
        with library.bars(counted):
            network, loading = family.from_pretrained(
                source,
                trust_remote_code=False,
                use_safetensors=True,
                local_files_only=True,
                output_loading_info=True,
                dtype=getattr(torch, place.dtype),
                **_onto(place),  # attention: sdpa, or eager where a family has no other; folder.py allows nothing else
                **arguments,
            )
    except Exception as error:  # a damaged folder raises anything, from SafetensorError to IndexError
        if error in stopped:
            raise
        if (problem := _does_not_fit(label, place, error)) is not None:
            raise problem from error
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise Problem(f"{label} cannot be loaded: {lines[0][:200]}", "check the folder") from error
    prefix = f"{network.base_model_prefix}."
    unused = [key for key in map(str, loading["unexpected_keys"]) if key.startswith(prefix) and key.endswith(".weight")]
    for wrong, what in (
        (loading["missing_keys"], "lacks {} weights, which would be random numbers"),
        (loading["mismatched_keys"], "has the wrong shape for {} weights"),
        (unused, "holds {} weights that its config.json has no place for"),
    ):
        if wrong:
            raise Problem(f"{label} {what.format(len(wrong))} ({min(map(str, wrong))})", "fetch the model again")
    return library.answer_plainly(network)


def _does_not_fit(label: str, place: Placement, error: Exception) -> Problem | None:
    if not (out_of_memory(error) or device_died(error)):
        return None
    return does_not_fit(label, place.device)


def _onto(place: Placement) -> dict[str, Any]:
    """Weights go straight to their device, one tensor at a time; several devices share them as accelerate says."""
    if place.limits is not None:
        return {"device_map": "auto", "max_memory": dict(place.limits)}
    return {} if place.device == "cpu" else {"device_map": {"": place.device}}
