"""What is typed for a job or a sweep is read as it is meant, and nothing that was typed is dropped."""

import json
from pathlib import Path
from typing import Any

import pytest

from gradyard.cli.arguments.spec import spec_from
from gradyard.cli.arguments.sweep import axes_from
from gradyard.cli.errors import BadUsage
from tests.cli.command_for_tests import Run

SPAN = {"start": 0.1, "stop": 0.6, "step": 0.1}


@pytest.mark.parametrize(
    ("typed", "spec"),
    [
        (["learning_rate=.5e-6"], {"learning_rate": 5e-7}), (["learning_rate=+1e-6"], {"learning_rate": 1e-6}),
        (["steps=1e3"], {"steps": 1000}), (["seed=+1"], {"seed": 1}), (["noise=1."], {"noise": 1.0}),
        (["seed=1_000"], {"seed": "1_000"}), (["name=2024"], {"name": "2024"}), (["name=null"], {"name": None}),
        (["tags.run=5"], {"tags": {"run": "5"}}), (['name="5"'], {"name": "5"}), (["pool=1e3"], {"pool": "1e3"}),
        (["optimizer=adam"], {"optimizer": {"name": "adam"}}), (["dataset=inline"], {"dataset": {"kind": "inline"}}),
        (["loss=l1", "loss.reduction=mean"], {"loss": {"name": "l1", "reduction": "mean"}}),
        (["optimizer.beta1=.8", "optimizer=adam"], {"optimizer": {"name": "adam", "beta1": 0.8}}),
        (['init={"a": 1}', "init.b=2"], {"init": {"a": 1, "b": 2}}), (["name=a=b"], {"name": "a=b"}),
    ],
)  # fmt: skip
def test_a_parameter_is_what_it_looks_like(typed: list[str], spec: dict[str, Any]) -> None:
    assert spec_from(None, None, typed) == spec


@pytest.mark.parametrize(
    ("stage", "typed", "message"),
    [
        (None, ["steps=1", "steps=2"], "--set steps=2 and --set steps=1 give the same parameter"),
        ("nn", ["stage=optim"], "--set stage=optim and --stage nn give the same parameter"),
        (None, ['init={"a": 1}', "init.a=2"], "give the same parameter"),
        (None, ["init.a=2", 'init={"a": 1}'], "give the same parameter"),
        (None, ["init.a=2", "init=normal"], "--set init.a=2: init is not an object"),
        (None, ['init={"a": 1, "a": 2}'], "/a: is given twice in this object"),
        (None, ["a..b=1"], "write it as name=value"), (None, ["=1"], "write it as name=value"),
    ],
)  # fmt: skip
def test_what_would_be_dropped_is_refused(stage: str | None, typed: list[str], message: str) -> None:
    with pytest.raises(BadUsage) as refusal:
        spec_from(None, stage, typed)
    assert message in str(refusal.value)


def test_a_file_may_have_a_byte_order_mark_and_no_name_twice(tmp_path: Path) -> None:
    file = tmp_path / "spec.json"
    file.write_bytes(b"\xef\xbb\xbf" + '{"stage": "nn", "name": "é"}'.encode())
    assert spec_from(str(file), None, []) == {"stage": "nn", "name": "é"}
    file.write_text('{"stage": "nn", "dataset": {"points": 1, "points": 2}}')
    with pytest.raises(BadUsage, match=r"spec\.json: /dataset/points: is given twice in this object; give it once"):
        spec_from(str(file), None, [])


def test_what_is_typed_goes_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "spec.json"
    file.write_text(json.dumps({"stage": "optim", "steps": 5, "optimizer": {"name": "sgd", "momentum": 0.5}}))
    assert spec_from(str(file), None, ["steps=6", "optimizer.momentum=.9"]) == {
        "stage": "optim", "steps": 6, "optimizer": {"name": "sgd", "momentum": 0.9},
    }  # fmt: skip
    assert spec_from(str(file), "nn", ["optimizer=adam"])["optimizer"] == {"name": "adam"}


@pytest.mark.parametrize(
    ("grid", "values"),
    [
        ("lr=0.1:0.6:0.1", SPAN), ("lr=.1:+.6:1e-1", SPAN), ("seed=0:5", {"start": 0, "stop": 5}),
        ("seed=-5:5:2", {"start": -5, "stop": 5, "step": 2}), ("lr=.5,+1,1e-3", [0.5, 1, 1e-3]),
        ("optimizer=adam,sgd", [{"name": "adam"}, {"name": "sgd"}]), ("name=1,2", ["1", "2"]),
        ('init={"a":1,"b":2},{"a":3,"b":4}', [{"a": 1, "b": 2}, {"a": 3, "b": 4}]), ("init=normal", ["normal"]),
    ],
)  # fmt: skip
def test_an_axis_has_the_values_that_are_meant(grid: str, values: Any) -> None:
    assert list(axes_from([grid], [], [])[0].values()) == [values]


def test_a_draw_has_numbers_as_people_write_them() -> None:
    assert axes_from([], ["learning_rate=.1e-6:+1e-6:log"], [])[1] == {
        "learning_rate": {"low": 1e-7, "high": 1e-6, "scale": "log"}
    }


def test_the_command_refuses_in_one_line_and_sends_nothing(run: Run) -> None:
    ended = run("sweep", "--stage", "nn", "--grid", "seed=0:5", "--grid", "seed=1,2")
    assert (ended.status, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert "--grid seed=1,2 and --grid seed=0:5 give the same parameter" in ended.err
    ended = run("submit", "-", stdin='\ufeff{"stage": "nn", "steps": 5, "steps": 6}')
    assert (ended.status, ended.out) == (2, "")
    assert "stdin: /steps: is given twice in this object; give it once" in ended.err


@pytest.mark.parametrize(
    ("grid", "random", "assignments"),
    [
        (["seed=1", "seed=2"], [], []), (["seed=1"], ["seed=1:2"], []), ([], ["seed=1:2", "seed=3:4"], []),
        (["seed=1"], [], ["seed=3"]), ([], ["seed=1:2"], ["seed=3"]), (["optimizer=adam"], [], ["optimizer.beta1=1"]),
        (["optimizer=adam", "optimizer.beta1=1"], [], []), (["optimizer.beta1=1", "optimizer=adam"], [], []),
        (["optimizer=adam"], ["optimizer.beta1=0:1"], []),
    ],
)  # fmt: skip
def test_a_parameter_is_varied_once(grid: list[str], random: list[str], assignments: list[str]) -> None:
    with pytest.raises(BadUsage, match="give the same parameter; leave one of them out"):
        axes_from(grid, random, assignments)


@pytest.mark.parametrize("typed", ["learning_rate=1e-7,1e-6", "optimizer.beta1=.5,0.9,1", "seed=0,1,2"])
def test_several_numbers_of_a_set_are_taken_for_a_grid(typed: str) -> None:
    with pytest.raises(BadUsage, match=f"--grid {typed} makes a job for each"):
        axes_from([], [], [typed])
    assert axes_from([], [], [typed.replace("=", '="') + '"', "name=1,two"]) == ({}, {})


@pytest.mark.parametrize("typed", ["seed=0:5", "learning_rate=.1:.5:.1", "seed=1,2"])
def test_a_range_or_list_of_a_single_job_is_taken_for_a_sweep(run: Run, typed: str) -> None:
    ended = run("submit", "--stage", "nn", "--set", typed)
    assert (ended.status, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert f"--set {typed}: a job has one value; gradyard sweep --grid {typed} makes a job for each" in ended.err
    with pytest.raises(BadUsage, match=f"--grid {typed} makes a job for each"):
        axes_from([], [], [typed])


def test_a_name_may_look_like_a_range() -> None:
    assert axes_from([], [], ["name=0:5", "tags.week=1,2", "pool=1:2"]) == ({}, {})


def test_a_part_may_be_set_beside_an_axis_in_it() -> None:
    assert axes_from(["optimizer.beta1=.8,.9"], [], ["optimizer=adam"])[0] == {"optimizer.beta1": [0.8, 0.9]}


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ("lr=.1:.6", "step is missing; a range of fractions needs one"), ("seed=5:5", "the range is empty"),
        ("seed=0:5:0", "step must be greater than 0, not 0"), ("seed=0:5:-1", "step must be greater than 0, not -1"),
        ("lr=1,,2", "a value is empty"), ("lr=1:1e999", "1e999 is too large"), ("seed", "write it as name=1,2,3"),
        ('init={"a":1,"a":2}', "/0/a: is given twice in this object"),
    ],
)  # fmt: skip
def test_an_axis_that_has_no_plain_meaning_is_refused(grid: str, message: str) -> None:
    with pytest.raises(BadUsage) as refusal:
        axes_from([grid], [], [])
    assert message in str(refusal.value)
    assert str(refusal.value).startswith(f"--grid {grid}")


@pytest.mark.parametrize(
    ("random", "message"),
    [
        ("lr=nan:1", "write it as name=LOW:HIGH"), ("lr=1_0:20", "write it as name=LOW:HIGH"),
        ("lr=1:1", "low must be less than high"), ("lr=0:1:log", "low must be greater than 0 on a log scale"),
        ("lr=0:1:square", "write it as name=LOW:HIGH"), ("=0:1", "write it as name=LOW:HIGH"),
    ],
)  # fmt: skip
def test_a_draw_that_has_no_plain_meaning_is_refused(random: str, message: str) -> None:
    with pytest.raises(BadUsage) as refusal:
        axes_from([], [random], [])
    assert message in str(refusal.value)
