"""Stages: what jobs can be of."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from gradyard.shapes.base import Answer


class GpuThreshold(Answer):
    """From how much work on one GPU ends sooner than one CPU slot, for one `execution`; good to a factor of two."""

    execution: str
    gpu_engine: str
    cpu_engine: str
    points_at_once: int = Field(description="jobs x points; fewer do not fill a GPU; 0: any number")
    point_steps: int = Field(description="jobs x steps x points; fewer end on the CPU before the GPU has started")
    compile_seconds: float = Field(
        default=0.0, description="what the CPU takes besides where it has compiled no job of that shape before"
    )
    measured: bool = Field(default=True, description="false: estimated from a similar stage, or from a prototype")


class GpuPays(Answer):
    """When a GPU pays: in one sentence, by `execution`, and the machines that were measured."""

    sentence: str
    executions: tuple[GpuThreshold, ...]
    cpu: str = ""
    gpu: str = ""


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
    gpu_pays: GpuPays | None = Field(
        default=None, description="from how much work on a GPU ends sooner; null: never, or it was not measured"
    )
    metric: str = Field(default="loss", description="by which its best jobs are chosen; loss: the last loss")
    mode: str = Field(default="min", description="min or max: whether the smallest or the largest is best")
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
