"""All stages: the tutorial's eight, and those of installed packages. Loads without torch."""

from gradyard.jobs.errors import NotFound
from gradyard.jobs.stages.builtin import BUILT_IN
from gradyard.jobs.stages.plugins import RefusedPlugin, installed
from gradyard.jobs.stages.stage import Stage

REFUSED: list[RefusedPlugin]
"""Stages of installed packages that cannot be used, with the reason."""

_plugins, REFUSED = installed([stage.name for stage in BUILT_IN])
STAGES: dict[str, Stage] = {stage.name: stage for stage in (*BUILT_IN, *_plugins)}


def stage_named(name: str) -> Stage:
    """The stage of that name; NotFound lists all stages."""
    if name not in STAGES:
        raise NotFound(f"no stage is named {name!r}; the stages are {', '.join(STAGES)}")
    return STAGES[name]
