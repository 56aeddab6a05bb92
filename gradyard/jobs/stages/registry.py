"""All stages: the tutorial's eight, and those of installed packages. Loads without torch."""

from gradyard.jobs.errors import NotFound
from gradyard.jobs.stages.builtin import BUILT_IN
from gradyard.jobs.stages.plugins import RefusedPlugin, installed
from gradyard.jobs.stages.stage import Stage
from gradyard.jobs.validation.suggestions import did_you_mean

REFUSED: list[RefusedPlugin]
"""Stages of installed packages that cannot be used, with the reason."""

_plugins, REFUSED = installed([stage.name for stage in BUILT_IN])
STAGES: dict[str, Stage] = {stage.name: stage for stage in (*BUILT_IN, *_plugins)}


def stage_named(name: str) -> Stage:
    """The stage of that name; NotFound lists all stages."""
    if name not in STAGES:
        hint = did_you_mean(name, STAGES) or f"; the stages are {', '.join(STAGES)}"
        raise NotFound(f"no stage is named {name!r}{hint}")
    return STAGES[name]
