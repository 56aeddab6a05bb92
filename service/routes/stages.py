"""The stages of jobs, and the JSON Schemas of their specs."""

from dataclasses import asdict
from typing import Any

from flask import Response

from gradyard import shapes
from gradyard.jobs.stages.device_estimate import gpu_thresholds, when_a_gpu_pays
from gradyard.jobs.stages.device_speeds import CPU_MACHINE, GPU_MACHINE
from gradyard.jobs.stages.registry import REFUSED, STAGES, stage_named
from gradyard.jobs.stages.stage import Stage
from service.http import parameters
from service.http.json_response import json_response
from service.http.openapi import problems, routes

api = routes("stages", "/v1/stages")


@api.get("", responses={"200": shapes.StageList, **problems(422)})
def list_stages(query: parameters.NoQuery) -> Response:
    """List the stages, the tutorial's first and in its order, and the plug-ins that are not offered."""
    stages = [shapes.Stage.of(**_facts(stage)) for stage in STAGES.values()]
    refused = [shapes.RefusedPlugin.of(**asdict(each)) for each in REFUSED]
    return json_response(shapes.StageList.of(stages=stages, refused=refused))


@api.get("/<name>", responses={"200": shapes.StageWithSchema, **problems(404, 422)})
def show_stage(path: parameters.StagePath, query: parameters.NoQuery) -> Response:
    """Show a stage, with the JSON Schema of its spec."""
    stage = stage_named(path.name)
    return json_response(shapes.StageWithSchema.of(**_facts(stage), parameters=stage.spec.model_json_schema()))


def _facts(stage: Stage) -> dict[str, Any]:
    defaults = stage.defaults()
    return {
        "name": stage.name, "title": stage.title, "description": stage.description, "devices": stage.devices,
        "dtype": defaults["dtype"], "packable": stage.packable,
        "executions": stage.executions(), "numerics_version": stage.numerics_version,
        "compiled_pays_from": stage.compiled_pays_from, "gpu_pays": _gpu_pays(stage),
        "metric": stage.metric, "mode": stage.mode, "defaults": defaults,
    }  # fmt: skip


def _gpu_pays(stage: Stage) -> shapes.GpuPays | None:
    thresholds = gpu_thresholds(stage)
    if not thresholds:
        return None
    executions = tuple(shapes.GpuThreshold.of(**asdict(each)) for each in thresholds)
    sentence = when_a_gpu_pays(thresholds)
    return shapes.GpuPays.of(sentence=sentence, executions=executions, cpu=CPU_MACHINE, gpu=GPU_MACHINE)
