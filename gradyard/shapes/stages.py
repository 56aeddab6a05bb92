"""Stages: what jobs can be of."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from gradyard.shapes.base import Answer


class Stage(Answer):
    """A stage that the service offers, and the defaults of its spec."""

    name: str
    title: str = ""
    description: str = ""
    devices: tuple[str, ...] = ()
    dtype: str | None = None
    packable: bool = True
    executions: tuple[str, ...] = ("eager",)
    numerics_version: int | str = 1
    compiled_pays_from: int | None = Field(
        default=None, description="job-steps on one worker; null: never, or it was not measured"
    )
    defaults: Mapping[str, Any] = {}


class StageWithSchema(Stage):
    """A stage, with the JSON Schema of its spec (`schema` in JSON, `parameters` in Python)."""

    parameters: Mapping[str, Any] | None = Field(default=None, alias="schema")


class RefusedPlugin(Answer):
    """A stage of a package that is installed where the API runs; it is not offered, and `reason` says why."""

    name: str
    package: str = ""
    reason: str = ""


class StageList(Answer):
    """The stages that jobs can be of, the tutorial's first, and the plug-ins that are not offered."""

    stages: tuple[Stage, ...]
    refused: tuple[RefusedPlugin, ...]
