"""The JSON pointer of an error leads to the field of the request, whatever models a plug-in brings."""

import json
import time
from collections.abc import Iterator
from io import BytesIO
from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, AliasPath, BaseModel, Discriminator, Field, Tag, TypeAdapter, ValidationError

from gradyard.jobs.errors import BatchInvalid, SpecInvalid
from gradyard.jobs.settings import load
from gradyard.jobs.specs.base import JobSpec
from gradyard.jobs.stages.registry import STAGES
from gradyard.jobs.stages.stage import Stage
from gradyard.jobs.strict_model import StrictModel, named
from gradyard.jobs.submission.batches import parse_batch
from gradyard.jobs.submission.parse import parse_job, spec_adapter
from gradyard.jobs.validation.pointers import pointers_into

settings = load(database_url="sqlite:///unused.db")


class Dense(StrictModel):
    kind: Literal["dense"]
    width: int | Literal["auto"]


class Sparse(StrictModel):
    kind: Literal["sparse"]
    share: Annotated[float, Field(gt=0)] | list[float]


class Layer(StrictModel):
    units: Annotated[int, Field(ge=1)] | Literal["auto"] = 1
    of: "Layer | None" = None


def _kind(value: Any) -> str:
    return "text" if isinstance(value, str) else "layer"


class PluginSpec(JobSpec):
    """Every way in which pydantic puts a level into a location."""

    stage: Literal["pointed"]
    hidden: int | Literal["auto"] = 1
    checked: Annotated[Dense | dict[str, int], AfterValidator(lambda value: value)] | int = 1
    layer: Layer = Layer()
    layers: list[Layer | int] = []
    pair: tuple[int, Layer | int] = (1, 1)
    by_name: dict[str, Layer | int] = {}
    by_letter: dict[Literal["a", "b"], float | Literal["auto"]] = {}
    body: Annotated[Dense | Sparse, Field(discriminator="kind")] = Dense(kind="dense", width=1)
    tail: Annotated[
        Annotated[Dense, Tag("dense")] | Annotated[Sparse, Tag("sparse")], named("kind", "dense")
    ] = Dense(kind="dense", width=1)  # fmt: skip
    either: Annotated[Annotated[str, Tag("text")] | Annotated[Layer, Tag("layer")], Discriminator(_kind)] = ""
    called: int | Literal["auto"] = Field(default=1, alias="so-called")


@pytest.fixture(autouse=True, scope="module")
def plugin() -> Iterator[None]:
    spec_adapter.cache_clear()
    STAGES["pointed"] = Stage("pointed", "", "", PluginSpec, "nowhere:Trainer")
    yield
    del STAGES["pointed"]
    spec_adapter.cache_clear()


WRONG: list[tuple[dict[str, Any], set[str]]] = [
    ({"hidden": "many"}, {"/hidden"}),
    ({"hidden": [1]}, {"/hidden"}),
    ({"checked": {"kind": "dense", "width": "wide"}}, {"/checked/kind", "/checked/width"}),
    ({"layer": {"units": 0}}, {"/layer/units"}),
    ({"layer": {"of": {"of": {"units": "x"}}}}, {"/layer/of/of/units"}),
    ({"layer": {"int": 1}}, {"/layer/int"}),
    ({"layers": [1, {"units": 0}]}, {"/layers/1/units"}),
    ({"layers": [1, {"Layer": 0}]}, {"/layers/1/Layer"}),
    ({"pair": [1, {"units": 0}]}, {"/pair/1/units"}),
    ({"by_name": {"int": "x"}}, {"/by_name/int"}),
    ({"by_name": {"Layer": {"units": 0}}}, {"/by_name/Layer/units"}),
    ({"by_name": {"a/b~": {"units": 0}}}, {"/by_name/a~1b~0/units"}),
    ({"by_letter": {"a": "x"}}, {"/by_letter/a"}),
    ({"by_letter": {"float": 1.0}}, {"/by_letter/float"}),
    ({"body": {"kind": "dense", "width": "x"}}, {"/body/width"}),
    ({"body": {"kind": "sparse", "share": ["x"]}}, {"/body/share", "/body/share/0"}),
    ({"body": {"kind": "sparse", "share": 1.0, "dense": 1}}, {"/body/dense"}),
    ({"body": {"kind": "other"}}, {"/body/kind"}),
    ({"body": {"kind": None}}, {"/body/kind"}),
    ({"tail": {}}, {"/tail/kind", "/tail/width"}),
    ({"body": 5}, {"/body"}),
    ({"tail": {"width": "x"}}, {"/tail/kind", "/tail/width"}),
    ({"tail": {"kind": "other"}}, {"/tail/kind"}),
    ({"either": {"units": 0}}, {"/either/units"}),
    ({"so-called": "x"}, {"/so-called"}),
    ({"learning_rate": "auto"}, {"/learning_rate"}),
]


@pytest.mark.parametrize(("fields", "pointers"), WRONG, ids=[json.dumps(fields) for fields, _ in WRONG])
def test_a_plugins_field_is_named_as_the_request_names_it(fields: dict[str, Any], pointers: set[str]) -> None:
    with pytest.raises(SpecInvalid) as refusal:
        parse_job(json.dumps({"stage": "pointed"} | fields).encode(), settings)
    assert {problem.pointer for problem in refusal.value.problems} == pointers


def test_a_wrong_tag_is_answered_with_those_there_are() -> None:
    with pytest.raises(SpecInvalid, match="must be one of dense, sparse"):
        parse_job(b'{"stage": "pointed", "body": {"kind": "other"}}', settings)


@pytest.mark.parametrize(
    ("grid", "pointers"),
    [
        ({"list": []}, {"/grid/list"}), ({"span": {"stop": "x"}}, {"/grid/span/stop"}),
        ({"init.a": {"stop": 1, "list": 2}}, {"/grid/init.a/list"}), ({"No Path": [1]}, {"/grid/No Path"}),
    ],
)  # fmt: skip
def test_an_axis_of_a_sweep_is_named(grid: dict[str, Any], pointers: set[str]) -> None:
    with pytest.raises(SpecInvalid) as refusal:
        parse_batch(BytesIO(json.dumps({"spec": {"stage": "nn"}, "grid": grid}).encode()), settings)
    assert {problem.pointer for problem in refusal.value.problems} == pointers


class Aliased(BaseModel):
    deep: int = Field(validation_alias=AliasPath("outer", 1))


def test_a_path_of_an_alias_is_where_the_request_has_it() -> None:
    adapter = TypeAdapter(Aliased)
    with pytest.raises(ValidationError) as refusal:
        adapter.validate_json('{"outer": [1, "x"]}')
    (error,) = refusal.value.errors()
    assert pointers_into(adapter).place_of(error["loc"], error["type"]).pointer == "/outer/1"


def test_pointers_of_a_hundred_thousand_errors_take_no_time() -> None:
    pointers, begin = pointers_into(spec_adapter()), time.process_time()
    for index in range(100_000):
        pointers.place_of(("pointed", "layers", index % 500, "Layer", "units", "constrained-int"), "int_type")
    assert time.process_time() - begin < 2.0


def test_a_batch_names_the_member_and_the_field_in_it() -> None:
    body = json.dumps({"jobs": [{"stage": "pointed"}, {"stage": "pointed", "hidden": "x"}]}).encode()
    with pytest.raises(BatchInvalid) as refusal:
        parse_batch(BytesIO(body), settings)
    assert {(index, problem.pointer) for index, problem in refusal.value.problems} == {(1, "/hidden")}
