"""Plug-ins in the document: their specs stand beside the built-in ones, by names of their own."""

import json
from typing import Literal

from pydantic import BaseModel

from gradyard.jobs.specs.base import JobSpec
from gradyard.jobs.stages.stage import Stage
from service.http.document.plugin_schemas import add_plugins
from service.http.document.schemas import schemas


def test_a_plugin_may_call_its_classes_as_gradyard_does() -> None:
    class Losses(BaseModel):
        """Which losses."""

        weight: float = 1.0

    class Job(JobSpec):
        """A walk."""

        stage: Literal["my-walk"]
        parts: list[Losses] = []

    ours = schemas()
    found = json.loads(json.dumps(ours))
    packed = {"float32": 1, "float64": 1}
    add_plugins(found, [Stage(name="my-walk", title="", description="", spec=Job, trainer="a:B", pack_bytes=packed)])
    assert {name: found[name] for name in ours if name != "JobSpec"} == {
        name: schema for name, schema in ours.items() if name != "JobSpec"
    }
    assert set(found) - set(ours) == {"MyWalkSpec", "MyWalkSpecLosses"}
    assert found["JobSpec"]["discriminator"]["mapping"]["my-walk"] == "#/components/schemas/MyWalkSpec"
    assert found["MyWalkSpec"]["properties"]["parts"]["items"] == {"$ref": "#/components/schemas/MyWalkSpecLosses"}
    assert {"$ref": "#/components/schemas/FunctionData"} in found["MyWalkSpec"]["properties"]["dataset"]["oneOf"]
