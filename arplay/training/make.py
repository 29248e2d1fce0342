"""``arplay train``: the texts, the tokenizer, the plan, the run, the figures; or all of it again up to a checkpoint."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import torch

from arplay.core.errors import Problem
from arplay.models import families
from arplay.models.devices import device_died, out_of_memory
from arplay.models.family import Training, resolve
from arplay.models.hf.networks import save
from arplay.models.libraries import import_torch
from arplay.training import order as defaults
from arplay.training import sizes
from arplay.training.card import write_card
from arplay.training.data import Data, Say
from arplay.training.follow import Follower, Sample
from arplay.training.hardware import check_memory, device_of, precision_of, smaller, tokens_in
from arplay.training.order import RunRequest
from arplay.training.run_folder import Plan, Report, RunFolder
from arplay.training.shares import shares_of
from arplay.training.stop import PARENT, Stop
from arplay.training.train import Run, Schedule

USUAL = {"warmup": 0.01, "cooldown": 0.5, "weight_decay": 0.1, "clip": 1.0, "compile": False}
"""As measured for the built-in English model (assets/recipes/english.toml), and for an LSTM on its text."""

FEW = 20
"""Steps in which a network learns next to nothing."""

UNTIMED = 1000
"""Steps of the schedule of a timing run, whose rates do not matter."""

SHARED_MINUTES, SHARED_TOKENS = 3.0, 400_000
"""A run at least this long pays for the seconds in which other processes start."""

NO_COMPILER = "No working C++ compiler found"
"""In what torch.compile says; the type of its exception differs between versions."""

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def make(order: RunRequest, say: Say, on_report: Callable[[Report], None]) -> bool:
    """Carry out ``order``: whether the end was reached; else it was asked to stop, and a checkpoint is left.

    ``say``: one line of what is being done; ``on_report``: how training stands. Raises Problem, which the folder keeps.
    """
    folder = RunFolder(order.out.absolute())
    order.check(folder)
    with contextlib.ExitStack() as stack:
        try:
            folder.training.mkdir(parents=True, exist_ok=True)
            stack.enter_context(folder.locked())
        except OSError as error:
            raise Problem(
                f"nothing can be written in {folder.path} ({error.strerror})", "choose another --out"
            ) from error
        stop = stack.enter_context(Stop(folder.stop))
        try:
            return _make(order, folder, stop, say, on_report)
        except (OSError, RuntimeError, MemoryError) as error:
            problem = _told(error, folder, bool(order.recipe))
            if problem is None:
                raise
            _keep(folder, problem)
            raise problem from error
        except Problem as problem:
            _keep(folder, problem)
            raise


def _keep(folder: RunFolder, problem: Problem) -> None:
    with contextlib.suppress(OSError):  # of a full disk
        folder.write_problem(problem)


def _told(error: Exception, folder: RunFolder, recipe: bool) -> Problem | None:
    """What a full disk, a full memory, a lost accelerator or a file out of reach is for a user; None: a bug."""
    again = "continue with --resume" if folder.resumable() else "start again"
    if out_of_memory(error):
        return Problem("there is not enough memory for this run", smaller(recipe))
    if NO_COMPILER in str(error):
        cause = "torch.compile, which the recipe asks for, found no C++ compiler that works"
        return Problem(cause, f"install g++, or say compile = false in the recipe; then {again}")
    if device_died(error):
        return Problem("the accelerator failed", again)
    if not isinstance(error, OSError):
        return None
    if error.errno in FULL:
        return Problem(f"there is no room on the disk ({error.strerror})", f"make room, then {again}")
    what = f"{error.filename or folder.path} cannot be read or written ({error.strerror})"
    return Problem(what, "check its permissions")


def _make(order: RunRequest, folder: RunFolder, stop: Stop, say: Say, on_report: Callable[[Report], None]) -> bool:
    import_torch(lambda *_: None)
    plan = folder.plan() if order.resume else None
    if plan is not None:
        texts = tuple(Path(text) for text in ((plan.recipe,) if plan.recipe else plan.texts))
        order = replace(order, texts=texts, family=plan.family)
    order = replace(order, family=order.training.key)
    training = order.training
    if plan is None and not training.counted:
        device_of(order.device)
    try:
        data: Data = resolve(training.data)(order, plan, folder.path, say)
    except Problem:
        if stop():  # what fetches a text hears Ctrl-C too, and fails
            return False
        raise
    for source, facts in data.described().items():
        say(f"{source}: {facts}")
    if stop():
        return False
    if training.counted:
        plan = plan or _counted(order, training, data)
        data.save(folder.path, sys.maxsize)
        folder.write_plan(plan)
        folder.cut_back(0)
        resolve(training.by)(folder, plan, data, say, on_report)
        return True
    if plan is None:
        torch.set_num_threads(order.threads or _threads())
        folder.state.unlink(missing_ok=True)  # of a run whose plan is gone
        plan = _plan(order, data, stop, say)
        data.save(folder.path, plan.context)
        if stop():
            return False
        folder.write_plan(plan)
    torch.set_num_threads(plan.threads // plan.processes)
    device_of(plan.device)  # another machine may have none
    return _train(folder, plan, data, stop, say, on_report)


def _threads() -> int:
    """All cores; one less beside the window whose run this is, else two of two wait for what it takes of one."""
    every = torch.get_num_threads()
    return max(1, every - 1) if PARENT in os.environ else every


def _common(order: RunRequest, data: Data) -> dict[str, Any]:
    """What a plan says of every family."""
    recipe = order.recipe
    return {
        "family": families.trained(order.family).key,
        "texts": () if recipe else tuple(str(text.absolute()) for text in order.texts),
        "recipe": str(recipe) if recipe else "",
        "sha256": data.sha256,
        "tokenizer": str(order.tokenizer.absolute()) if order.tokenizer else "",
        "vocabulary": data.vocabulary,
        "seed": defaults.SEED if order.seed is None else order.seed,
    }


def _counted(order: RunRequest, training: Training, data: Data) -> Plan:
    """Of a run of one step, which reads every training document once."""
    n = order.order or training.order
    tokens = sum(len(ids) for found in data.training.values() for ids in found)
    return Plan(
        width=0, layers=0, heads=0, hidden=0, context=n, tokens=tokens, batch=1, muon_rate=0.0, adamw_rate=0.0,
        warmup=0.0, cooldown=0.0, weight_decay=0.0, clip=0.0, device="cpu", threads=1, processes=1,
        precision="float32", compile=False, order=n, **_common(order, data),
    )  # fmt: skip


def _plan(order: RunRequest, data: Data, stop: Stop, say: Say) -> Plan:
    """Sizes, schedule, place and length of the run."""
    training, usual = order.training, families.trained(None)
    shape = sizes.shape_of(training.key)
    common = _common(order, data)
    device = device_of(order.device)
    chosen: dict[str, Any] = (
        USUAL | dict(training.rates) | {"device": device, "threads": torch.get_num_threads(), "order": 0}
    )
    chosen |= {field.name: 0 for field in fields(sizes.Sizes)}
    if order.recipe and data.recipe:
        chosen |= data.recipe.network | data.recipe.schedule
        if order.seed is not None:
            chosen["seed"] = order.seed
        common["seed"] = chosen.pop("seed")
        if training.key != (
            data.recipe.family or usual.key
        ):  # as large as the recipe's network, trained as is best for it
            params = sizes.shape_of(usual.key).parameters(_sizes(chosen), data.vocabulary)
            chosen |= asdict(shape.nearest(params, data.vocabulary)) | dict(training.rates)
            chosen |= {"batch": training.batch, "context": training.context}
    else:
        context = order.context or data.fixed.get("context") or _context(training, data.tokens)
        rows = (data.tokens - 1) // context
        if rows < 1:
            cause = f"the text has {data.tokens:,} tokens, less than a context of {context:,} and one"
            raise Problem(cause, "give more text, or a smaller --context")
        stacks = {"stacks": order.stacks} if order.stacks else {}
        chosen |= asdict(shape.nearest(order.params or training.params, data.vocabulary, **stacks))
        chosen |= {"context": context, "batch": min(training.batch, rows)}
    chosen |= data.fixed | {"precision": precision_of(device)}
    chosen["processes"] = _processes(order, device, chosen)
    if device == "cpu":
        key, batch, context = training.key, chosen["batch"], chosen["context"]
        check_memory(key, _sizes(chosen), data.vocabulary, batch, context, bool(order.recipe))
    a_step = chosen["batch"] * chosen["context"]
    tokens = order.tokens or (None if order.minutes else chosen.get("tokens"))
    torch.set_num_threads(chosen["threads"] // chosen["processes"])
    plan = Plan(**common, **chosen | {"tokens": max(tokens or UNTIMED * a_step, a_step)})
    try:
        Plan.from_json(plan.to_json())
    except ValueError as error:
        raise Problem(f"this cannot be trained: {error}", "compare with assets/recipes/english.toml") from error
    if tokens is None:
        minutes = order.minutes or defaults.MINUTES
        say("measuring the speed of this computer")
        with contextlib.closing(Run(network_of(plan), data.read, schedule_of(plan))) as run:
            tokens = tokens_in(minutes, run, stop)
        say(f"{tokens:,} tokens in {minutes:g} minute{'' if minutes == 1 else 's'}")
        if tokens < FEW * a_step and not stop():
            say(f"{tokens // a_step:,} steps are few: choose fewer --params, less --context or more --minutes")
    if tokens < a_step:
        raise Problem(
            f"{tokens:,} tokens are less than a step of {a_step:,}", "ask for more tokens or a smaller context"
        )
    return replace(plan, tokens=tokens)


def _processes(order: RunRequest, device: str, chosen: dict[str, Any]) -> int:
    """How many processes share a batch: one a thread on a CPU, where the run is long enough to start them.

    Not where torch.compile has fused the small operations: then threads are as fast (0.97 of them was measured).
    """
    minutes, tokens = order.minutes or 0, order.tokens or (0 if order.minutes else chosen.get("tokens", 0))
    if device != "cpu" or chosen["compile"] or (minutes < SHARED_MINUTES and tokens < SHARED_TOKENS):
        return 1
    return shares_of(chosen["batch"], chosen["threads"])


def _sizes(chosen: dict[str, Any]) -> sizes.Sizes:
    return sizes.Sizes(*(chosen[field.name] for field in fields(sizes.Sizes)))


def _context(training: Training, tokens: int) -> int:
    """The usual context, or for a little text a shorter one: a batch at least."""
    context = training.context
    while context > 16 and tokens <= training.batch * context:
        context //= 2
    return context


def network_of(plan: Plan) -> Any:
    """The fresh network of a plan, drawn from its seed."""
    torch.manual_seed(plan.seed)
    numbers = {name: getattr(plan, name) for name in sizes.shape_of(plan.family).numbers}
    return resolve(plan.training.by)(plan.vocabulary, context=plan.context, **numbers)


def schedule_of(plan: Plan) -> Schedule:
    return Schedule(**{field.name: getattr(plan, field.name) for field in fields(Schedule)})


def _train(
    folder: RunFolder, plan: Plan, data: Data, stop: Stop, say: Say, on_report: Callable[[Report], None]
) -> bool:
    network = network_of(plan)
    parameters = network.num_parameters()
    run = Run(network, data.read, schedule_of(plan))
    if folder.state.is_file():
        run.resume(folder.state)
    folder.cut_back(run.step)
    if run.step == 0:
        save(network, folder.path)
        write_card(folder.path, plan, parameters, data.described(), {})
    where = f"{plan.device} in {plan.precision}, {plan.threads} thread{'s' * (plan.threads != 1)}"
    often = f"{_times(plan.steps * plan.batch * plan.context / data.tokens)} times through the {data.noun}"
    say(f"{parameters:,} parameters, step {run.step:,} to {plan.steps:,}, {often}, {where}")
    lengths = data.lengths(folder.path)
    sample = Sample.draw(data.sample(), run, lengths)
    with contextlib.closing(run):
        if not Follower(run, folder, plan.snapshots(), sample, lengths, on_report).train(stop):
            return False
    torch.set_num_threads(plan.threads)
    network.to("cpu")
    figures = data.figures(network, plan, stop, say)
    write_card(folder.path, plan, parameters, data.described(), figures)
    return True


def _times(share: float) -> str:
    """
    >>> _times(132.4), _times(0.254)
    ('132', '0.25')
    """
    return f"{share:,.0f}" if share >= 10 else f"{share:.2g}"
