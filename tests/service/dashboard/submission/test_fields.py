"""The form follows from the JSON Schema of a stage: also of one that is not ours."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from gradyard.jobs.stages.registry import STAGES
from service.dashboard.submission.fields import Part, fields_of
from service.dashboard.submission.typed import typed


class Relu(BaseModel):
    """Cut off below zero."""

    kind: Literal["relu"]
    leak: float = Field(default=0.0, ge=0, lt=1)


class Tanh(BaseModel):
    """Smooth."""

    kind: Literal["tanh"]


class Schedule(BaseModel):
    """How the rate falls."""

    factor: float = Field(default=0.5, gt=0)


class OfAPlugin(BaseModel):
    """A spec as a plug-in's function gives one."""

    stage: Literal["mine"]
    epochs: int = Field(default=30, ge=1, le=9, description="passes over the `data`")
    shuffle: bool = True
    hidden: list[int] = [64, 64]
    rates: list[float]
    augment: dict[str, Any] = {}
    activation: Relu | Tanh = Field(default=Relu(kind="relu", leak=0.1), discriminator="kind")
    schedule: Schedule | None = None
    width: int | None = None
    mode: Literal["a", 7] = "a"
    learning_rate: Annotated[float, Field(gt=0)] | Literal["auto"] = 0.1


FIELDS = {each.path: each for each in fields_of(OfAPlugin.model_json_schema())}


@pytest.mark.parametrize(
    ("path", "kind", "default", "limits", "choices"),
    [
        ("epochs", "number", 30, "1 to 9", ()),
        ("shuffle", "choices", True, "", (True, False)),
        ("hidden", "numbers", [64, 64], "", ()),
        ("rates", "numbers", None, "", ()),
        ("augment", "json", {}, "", ()),
        ("width", "number", None, "", ()),
        ("mode", "choices", "a", "", ("a", 7)),
        ("learning_rate", "number", 0.1, "over 0 or `auto`", ()),
    ],
)
def test_each_type_has_a_field_of_its_own(path: str, kind: str, default: Any, limits: str, choices: Any) -> None:
    field = FIELDS[path]
    assert not isinstance(field, Part)
    assert (field.kind, field.default, field.limits, field.choices) == (kind, default, limits, choices)
    assert field.is_needed == (path == "rates")


def test_an_object_of_several_kinds_is_chosen_by_its_tag() -> None:
    part = FIELDS["activation"]
    assert isinstance(part, Part)
    assert (part.tag, [kind.name for kind in part.kinds]) == ("kind", ["relu", "tanh"])
    assert [(each.path, each.limits) for each in part.kinds[0].fields] == [("activation.leak", "0 to under 1")]
    optional = FIELDS["schedule"]
    assert isinstance(optional, Part)
    assert (optional.tag, optional.default, optional.kinds[0].fields[0].name) == (None, None, "factor")


def test_only_what_is_not_the_default_stands_in_the_form() -> None:
    texts = typed(FIELDS.values(), {"epochs": 5, "shuffle": False, "hidden": [8], "rates": [0.1], "width": None})
    chosen = {path: text for path, text in texts.items() if text}
    assert chosen == {
        "epochs": "5", "shuffle": ["false"], "hidden": "8", "rates": "0.1", "activation": "relu", "schedule": "none",
        "relu activation.leak": "0.1",
    }  # fmt: skip


@pytest.mark.parametrize("stage", STAGES)
def test_every_parameter_of_every_stage_has_a_field(stage: str) -> None:
    schema = STAGES[stage].spec.model_json_schema()
    assert {each.path for each in fields_of(schema)} == schema["properties"].keys() - {"stage"}


def test_tags_and_dependencies_are_typed_as_people_write_them() -> None:
    fields = fields_of(STAGES["nn"].spec.model_json_schema())
    texts = typed(fields, {"tags": {"week": "3", "of": "ml"}, "depends_on": ["a", {"id": "b"}]})
    assert (texts["tags"], texts["depends_on"]) == ("week=3, of=ml", "a, b")
    odd = typed(fields, {"tags": {"a,b": "="}, "depends_on": [{"id": "b", "condition": "ended"}]})
    assert (odd["tags"], odd["depends_on"]) == ('{"a,b":"="}', '[{"id":"b","condition":"ended"}]')
