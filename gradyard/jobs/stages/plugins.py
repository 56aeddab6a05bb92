"""Stages of installed packages: the entry points of the group `gradyard.stages`.

An entry point has the name of its stage, and its object is a `Stage`:

    [project.entry-points."gradyard.stages"]
    mlp = "gradyard_mlp.facts:STAGE"

A stage that cannot be used is refused with a reason. The service and the other stages work on.
"""

import json
import re
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import get_args

from gradyard.jobs.specs.base import JobSpec
from gradyard.jobs.stages.stage import Mode, Stage

GROUP = "gradyard.stages"
NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
METRIC = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
TRAINER = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


@dataclass(frozen=True)
class RefusedPlugin:
    """A stage that is not offered: its entry point, the package that brought it, and what is wrong with it."""

    name: str
    package: str
    reason: str


class _PluginInvalid(Exception):
    """A plug-in that cannot be used. The message tells its author what is wrong."""


def installed(taken: Collection[str]) -> tuple[list[Stage], list[RefusedPlugin]]:
    """The stages of installed packages, by name, and those that are refused. A name in `taken` is refused."""
    stages: dict[str, Stage] = {}
    refused = []
    found = entry_points(group=GROUP)
    names = [entry.name for entry in found]
    for entry in sorted(found, key=lambda each: (each.name, each.value)):
        package = entry.dist.name if entry.dist else "?"
        try:
            if entry.name in taken:
                raise _PluginInvalid("a built-in stage has this name")
            if names.count(entry.name) > 1:
                raise _PluginInvalid("another package also brings a stage of this name")
            stages[entry.name] = _checked(_loaded(entry), entry.name)
        except _PluginInvalid as error:
            refused.append(RefusedPlugin(entry.name, package, str(error)))
    return list(stages.values()), refused


def _loaded(entry: EntryPoint) -> object:
    had_torch = "torch" in sys.modules
    try:
        value: object = entry.load()
    except (Exception, SystemExit) as error:  # an import runs the plug-in's own code, which may raise anything
        raise _PluginInvalid(f"{entry.value} cannot be imported: {type(error).__name__}: {error}") from None
    if not had_torch and "torch" in sys.modules:
        raise _PluginInvalid(f"{entry.value} imports torch; only the module of its trainer may")
    return value


def _checked(stage: object, name: str) -> Stage:
    """The stage, if its facts are valid. Its trainer is not checked: only a runner can load it."""
    if not isinstance(stage, Stage):
        raise _PluginInvalid(f"its entry point is a {type(stage).__name__}, not a Stage")
    try:
        wrong = next(_problems(stage, name), None)
    except Exception as error:
        wrong = f"its facts cannot be used: {type(error).__name__}: {error}"
    if wrong is not None:
        raise _PluginInvalid(wrong)
    return stage


def _problems(stage: Stage, name: str) -> Iterator[str]:
    if stage.name != name or not NAME.fullmatch(name):
        yield f"its entry point is {name!r} and its stage {stage.name!r}; both must be one lower-case word"
    spec: object = stage.spec  # a plug-in may be untyped
    if not (isinstance(spec, type) and issubclass(spec, JobSpec)):
        yield "its spec is not a subclass of JobSpec"
    if get_args(stage.spec.model_fields["stage"].annotation) != (name,):
        yield f'its spec must say: stage: Literal["{name}"]'
    if not all(TRAINER.fullmatch(path) for path in (stage.trainer, *stage.engines.values())):
        yield f'its trainer {stage.trainer!r} is not "module:Class"'
    if not stage.devices or not set(stage.devices) <= {"cpu", "gpu"}:
        yield f"its devices {stage.devices!r} are not cpu, gpu or both"
    if stage.numerics_version < 1 or stage.widest < 1:
        yield "numerics_version and widest must be 1 or more"
    if min(stage.pack_bytes.get(dtype, 0) for dtype in ("float32", "float64")) < 1:
        yield "pack_bytes must have a number, 1 or more, for float32 and for float64"
    if not (isinstance(stage.metric, str) and METRIC.fullmatch(stage.metric)) or stage.mode not in get_args(Mode):
        yield f"its metric {stage.metric!r} and mode {stage.mode!r} are not a metric's name with min or max"
    yield from _spec_problems(stage)


def _spec_problems(stage: Stage) -> Iterator[str]:
    """What is wrong with its defaults: they must be a valid job that can be stored and packed."""
    defaults = stage.defaults()
    again = stage.spec.model_validate_json(json.dumps(defaults, allow_nan=False))
    if again.as_json() != defaults:
        yield "its defaults, submitted as a job, become a different job"
    if not isinstance(stage.spec.model_json_schema().get("properties"), dict):
        yield "its JSON Schema has no properties"
    again.pack_key(stage.numerics_version)
    if type(again.steps) is not int or again.steps < 1 or again.dataset.points < 1:
        yield "its defaults train nothing"
