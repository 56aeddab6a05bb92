"""A part of a spec that leaves out its kind is the stage's own, with the values that it has in place of those."""

from dataclasses import replace
from io import BytesIO
from typing import Annotated, Any, Literal

import orjson
import pytest
from pydantic import Field, TypeAdapter

from gradyard.jobs.errors import SpecInvalid
from gradyard.jobs.settings import load
from gradyard.jobs.specs.builtin import NnSpec
from gradyard.jobs.stages.registry import STAGES
from gradyard.jobs.strict_model import StrictModel
from gradyard.jobs.submission import parse
from gradyard.jobs.submission.batches import parse_batch
from gradyard.jobs.submission.changed_specs import parse_changed
from gradyard.jobs.submission.parse import parse_job

settings = load(database_url="sqlite:///unused.db")


def optimizer_of(stage: str, **values: Any) -> dict[str, Any]:
    parsed = parse_job(orjson.dumps({"stage": stage, "optimizer": values}), settings)
    optimizer: dict[str, Any] = parsed.as_json["optimizer"]
    return optimizer


def problems_of(spec: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(SpecInvalid) as refusal:
        parse_job(orjson.dumps(spec), settings)
    return [(each.pointer, each.message) for each in refusal.value.problems]


@pytest.mark.parametrize("stage", ["optim", "module", "dynamic"])
def test_an_optimizer_without_a_name_is_the_stages_own_with_these_values(stage: str) -> None:
    own = STAGES[stage].spec.model_fields["optimizer"].default.model_dump(mode="json")
    assert optimizer_of(stage) == own
    assert optimizer_of(stage, momentum=0.25) == own | {"momentum": 0.25}
    # of `dynamic` that one has a momentum, which is not lost
    assert optimizer_of(stage, weight_decay=0.5) == own | {"weight_decay": 0.5}


def test_an_optimizer_with_a_name_has_its_own_defaults() -> None:
    assert optimizer_of("dynamic", name="sgd")["momentum"] == 0.0


def test_a_whole_number_written_as_a_fraction_is_one_beside_such_a_part() -> None:
    body = b'{"stage": "optim", "optimizer": {"momentum": 0.5}, "steps": 1e3}'
    assert parse_job(body, settings).spec.steps == 1000


def test_what_is_wrong_in_such_a_part_is_told_of_the_stages_own() -> None:
    assert problems_of({"stage": "optim", "optimizer": {"beta1": 0.5}}) == [
        ("/optimizer/beta1", 'there is no such field for optimizer "rmsprop", only for adam, adamw')
    ]
    assert problems_of({"stage": "optim", "optimizer": {"nam": "adam"}}) == [
        ("/optimizer/nam", 'there is no such field for optimizer "rmsprop"; did you mean "name"?')
    ]
    assert [pointer for pointer, _ in problems_of({"stage": "optim", "optimizer": {"name": 5}})] == ["/optimizer/name"]
    assert [pointer for pointer, _ in problems_of({"stage": ["optim"], "optimizer": {}})] == ["/stage"]
    assert [pointer for pointer, _ in problems_of({"stage": "nn", "optimizer": {}})] == ["/optimizer"]


def test_an_axis_leads_into_the_stages_own_part() -> None:
    sweep = {"spec": {"stage": "optim"}, "grid": {"optimizer.momentum": [0.1, 0.5]}}
    parsed = parse_batch(BytesIO(orjson.dumps(sweep)), settings)
    assert [job.as_json["optimizer"]["momentum"] for job in parsed.jobs] == [0.1, 0.5]
    assert {job.as_json["optimizer"]["name"] for job in parsed.jobs} == {"rmsprop"}
    names = {"spec": {"stage": "optim"}, "grid": {"optimizer.momentum": [0.1], "optimizer.name": ["sgd", "rmsprop"]}}
    parsed = parse_batch(BytesIO(orjson.dumps(names)), settings)
    assert [job.as_json["optimizer"]["name"] for job in parsed.jobs] == ["sgd", "rmsprop"]


def test_a_retry_that_changes_a_whole_part_says_of_which_kind_it_is() -> None:
    """The stage's own and that of the job could both be meant."""
    stored = parse_job(b'{"stage": "optim", "optimizer": {"name": "adam"}}', settings).as_json
    with pytest.raises(SpecInvalid) as refusal:
        parse_changed(stored, {"optimizer": {"momentum": 0.5}}, settings)
    assert [each.pointer for each in refusal.value.problems] == ["/set/optimizer/name"]


class Cosine(StrictModel):
    shape: Literal["cosine"]
    cycles: int = 1


class Flat(StrictModel):
    shape: Literal["flat"]


class Scheduled(NnSpec):
    """The spec of a plug-in's stage, whose parts are told apart by a field of another name."""

    stage: Literal["scheduled"]  # type: ignore[assignment]
    schedule: Annotated[Cosine | Flat, Field(discriminator="shape")] = Cosine(shape="cosine", cycles=3)


def test_the_parts_of_other_stages_are_filled_up_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STAGES, "scheduled", replace(STAGES["nn"], name="scheduled", spec=Scheduled))
    monkeypatch.setattr(parse, "spec_adapter", lambda: TypeAdapter(Scheduled))
    for sent, schedule in (({}, {"shape": "cosine", "cycles": 3}), ({"cycles": 5}, {"shape": "cosine", "cycles": 5})):
        read = parse.parse_job(orjson.dumps({"stage": "scheduled", "schedule": sent}), settings)
        assert read.as_json["schedule"] == schedule
