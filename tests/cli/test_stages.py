"""`gradyard stages show`: each parameter with its default, and what it is for."""

from typing import Literal

import pytest

from gradyard.jobs.specs.base import JobSpec
from gradyard.jobs.specs.builtin import OptimSpec
from tests.cli.command_for_tests import Run, service


class WalkSpec(JobSpec):
    """A stage whose author wrote no descriptions."""

    stage: Literal["walk"]
    length: int = 3


@pytest.mark.parametrize("spec", [OptimSpec, WalkSpec])
def test_parameters_are_shown_with_their_defaults_and_what_they_are_for(run: Run, spec: type[JobSpec]) -> None:
    name = spec.model_fields["stage"].annotation.__args__[0]  # type: ignore[union-attr]
    stage = {"name": name, "defaults": spec(stage=name).as_json(), "schema": spec.model_json_schema()}
    with service(**{name: stage}).running() as running:
        shown = run("stages", "show", name, "--url", running.url)
    assert shown.status == 0
    assert "how often the weights are updated" in shown.out
    assert any(line.split()[:2] == ["steps", "2000"] for line in shown.out.splitlines())
    if spec is WalkSpec:
        assert any(line.split() == ["length", "3"] for line in shown.out.splitlines())
