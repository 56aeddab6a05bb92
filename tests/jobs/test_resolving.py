"""What is computed at submission: scaling, the loss of least squares, and warnings about what will not be reached."""

import json
from io import BytesIO
from typing import Any

import numpy as np
import pytest

from gradyard.jobs.errors import SpecInvalid
from gradyard.jobs.settings import Settings, load
from gradyard.jobs.submission.batches import parse_batch
from gradyard.jobs.submission.parse import ParsedJob, parse_job

settings: Settings = load(database_url="sqlite:///unused.db")
X = np.linspace(1_000.0, 2_600.0, 120)
HEIGHTS: dict[str, Any] = {"kind": "inline", "x": X.tolist(), "y": (3 * X**1.5 + 40 * np.sin(X / 90)).tolist()}


def parsed(**spec: Any) -> ParsedJob:
    return parse_job(json.dumps({"stage": "nn"} | spec).encode(), settings)


def refused(**spec: Any) -> dict[str, str]:
    with pytest.raises(SpecInvalid) as refusal:
        parsed(**spec)
    return {each.pointer: each.message for each in refusal.value.problems}


def test_every_quadratic_states_what_least_squares_reaches() -> None:
    for more in ({}, {"stage": "optim"}, {"stage": "module", "optimizer": {"name": "adam"}}, {"stage": "numpy"}):
        assert parsed(**more).resolved["attainable_loss"] == pytest.approx(8.81716541)
    assert parsed(loss={"name": "mse", "reduction": "mean"}).resolved["attainable_loss"] == pytest.approx(0.004408583)
    for other in ({"stage": "function"}, {"stage": "dynamic"}, {"loss": {"name": "l1"}}):
        assert "attainable_loss" not in parsed(**other).resolved


def test_the_noise_of_a_seed_counts() -> None:
    first, second = (parsed(dataset={"noise": 0.1}, seed=seed).resolved["attainable_loss"] for seed in (0, 1))
    assert first != second
    assert 20 < min(first, second) < max(first, second) < 40


def test_the_tutorials_own_jobs_have_no_warning() -> None:
    for stage in ("numpy", "tensor", "autograd", "nn", "optim", "module", "function", "dynamic"):
        assert parsed(stage=stage).warnings == []


def test_raw_data_in_the_thousands_are_warned_of_and_scaled_ones_are_not() -> None:
    (warning,) = parsed(dataset=HEIGHTS, learning_rate="auto", dtype="float64").warnings
    assert warning["pointer"] == "/learning_rate"
    assert "least squares reaches" in warning["message"]
    assert "the powers of x have the condition 5" in warning["message"]
    assert 'scale "standard", learning_rate "auto" it comes near' in warning["message"]
    scaled = parsed(dataset=HEIGHTS, learning_rate="auto", dtype="float64", scale="standard", degree=2)
    assert scaled.warnings == []


def test_a_rate_that_is_too_small_is_told_of_auto() -> None:
    (warning,) = parsed(learning_rate=1e-9).warnings
    assert warning["message"].endswith('with learning_rate "auto" it comes near')
    assert parsed(learning_rate="auto").warnings == []


def test_the_steps_that_are_needed_are_enough_and_one_less_is_not() -> None:
    few: dict[str, Any] = {"learning_rate": "auto", "scale": "standard", "steps": 20, "init": "normal", "seed": 4}
    (warning,) = parsed(**few).warnings
    assert "needs" in warning["message"]
    needed = int(warning["message"].split("needs ")[1].split()[0].replace(",", ""))
    assert parsed(**few | {"steps": needed}).warnings == []
    assert parsed(**few | {"steps": needed - 1}).warnings != []


def test_data_that_the_model_fits_exactly_are_near_at_the_rounding_of_their_dtype() -> None:
    line = {"kind": "inline", "x": [0.0, 1.0, 2.0, 3.0], "y": [1.0, 3.0, 5.0, 7.0]}
    assert parsed(dataset=line, degree=1, learning_rate="auto").warnings == []


def test_scaling_is_kept_with_the_job() -> None:
    standard = parsed(dataset=HEIGHTS, scale="standard").resolved["scaling"]
    y = np.array(HEIGHTS["y"])
    assert standard == pytest.approx(
        {"x_offset": X.mean(), "x_factor": X.std(), "y_offset": y.mean(), "y_factor": y.std()}
    )
    minmax = parsed(dataset=HEIGHTS, scale="minmax").resolved["scaling"]
    assert (minmax["x_offset"], minmax["x_factor"]) == (1_000.0, 1_600.0)
    flat = parsed(dataset={"kind": "inline", "x": [5, 5], "y": [2, 2]}, scale="standard").resolved["scaling"]
    assert flat == {"x_offset": 5.0, "x_factor": 1.0, "y_offset": 2.0, "y_factor": 1.0}
    assert "scaling" not in parsed(dataset=HEIGHTS).resolved


def test_jobs_of_other_scales_train_apart_and_unscaled_ones_keep_their_key() -> None:
    keys = {parsed(scale=scale).pack_key for scale in ("none", "standard", "minmax")}
    assert len(keys) == 3
    assert parsed().pack_key in keys


def test_a_shared_coefficient_has_no_scaled_form() -> None:
    assert "/scale" in refused(stage="dynamic", scale="standard")


@pytest.mark.parametrize(("data", "pointer", "named"), [
    ({"kind": "inline", "x": [1e13, 2], "y": [1, 2]}, "/dataset/x", "x^3"),
    ({"kind": "inline", "x": [1, 2], "y": [1e25, 2]}, "/dataset/y", "y"),
    ({"function": "exp", "start": 0, "stop": 90}, "/dataset/stop", "y"),
    ({"function": "sin", "start": -1e14, "stop": 0}, "/dataset/start", "x^3"),
    ({"function": "exp", "start": 0, "stop": 1000}, "/dataset/stop", "y"),
    ({"function": "sin", "start": -1e308, "stop": 1e308}, "/dataset/stop", "x^3"),
])  # fmt: skip
def test_data_that_overflow_are_refused_by_the_name_of_x_or_y(data: Any, pointer: str, named: str) -> None:
    for stage in ("nn", "function", "optim"):
        message = refused(stage=stage, dataset=data)[pointer]
        assert message.startswith(f"{named} is too large")
        assert "the largest number of float32 is 3.4e+38; use" in message


def test_the_noise_that_overflows_is_named_and_no_degree_where_there_is_none() -> None:
    for noise in (1e30, 1.7e308):  # times a normal number, the second is infinite
        assert refused(dataset={"noise": noise}).keys() == {"/dataset/noise"}
    wide = {"start": -1e14, "stop": 0}
    for stage, has_a_degree in (("nn", True), ("function", False), ("dynamic", False)):
        assert refused(stage=stage, dataset=wide)["/dataset/start"].endswith("or a lower degree") is has_a_degree


@pytest.mark.parametrize("scale", ["standard", "minmax"])
def test_scaled_data_whose_squares_overflow_are_scaled_all_the_same(scale: str) -> None:
    huge = {"kind": "inline", "x": [1e200, 2, 3, 4], "y": [1, 2, -1e300, 4]}
    job = parsed(dataset=huge, dtype="float64", scale=scale, learning_rate="auto")
    scaling = job.resolved["scaling"]
    small = parsed(dataset={"kind": "inline", "x": [1e20, 2, 3, 4], "y": [1, 2, -1e30, 4]}, dtype="float64",
                   scale=scale, learning_rate="auto")  # fmt: skip
    assert scaling["x_factor"] == pytest.approx(1e180 * small.resolved["scaling"]["x_factor"])
    assert scaling["y_offset"] == pytest.approx(1e270 * small.resolved["scaling"]["y_offset"])
    assert job.resolved["learning_rate"] == pytest.approx(small.resolved["learning_rate"])


def test_scaled_data_that_span_more_than_a_float_holds_are_refused() -> None:
    for name in ("x", "y"):
        data = {"kind": "inline", "x": [1, 2, 3], "y": [1, 2, 3]} | {name: [-1.7e308, 0, 1.7e308]}
        assert refused(dataset=data, dtype="float64", scale="minmax").keys() == {f"/dataset/{name}"}
        assert parsed(dataset=data, dtype="float64", scale="standard", learning_rate="auto").resolved["learning_rate"]


@pytest.mark.parametrize("more", [{}, {"loss": {"name": "l1"}}, {"stage": "numpy"}, {"stage": "function"},
                                  {"stage": "optim"}, {"scale": "standard"}])  # fmt: skip
def test_weights_whose_loss_overflows_at_the_first_step_are_refused(more: dict[str, Any]) -> None:
    large, init = (1e200, dict.fromkeys("abcd", 0.5))
    dtype = {"dtype": "float64"} if more.get("stage") == "numpy" else {"dtype": "float32"}
    if "loss" in more or dtype["dtype"] == "float32":
        large = 3e38
    refusal = refused(init=init | {"a": large}, **dtype, **more)["/init"]
    assert refusal.startswith("with these weights the loss begins at")
    assert f"the largest number of {dtype['dtype']} is" in refusal
    assert parsed(init=init | {"a": 1e3}, **dtype, **more)


def test_the_cure_of_data_that_overflow_works() -> None:
    data = {"kind": "inline", "x": [1e13, 2e13, 3e13, 4e13], "y": [1e25, 2, 3, 4]}
    assert {"/dataset/x", "/dataset/y"} == set(refused(dataset=data))
    assert parsed(dataset=data, scale="standard", learning_rate="auto").resolved["learning_rate"] > 0
    assert parsed(dataset=data, dtype="float64").resolved["attainable_loss"] < 1e40


def test_auto_is_always_the_number_that_was_computed() -> None:
    tiny = parsed(dataset={"start": 0, "stop": 5e-324}, learning_rate="auto").resolved["learning_rate"]
    assert tiny == pytest.approx(1 / (2 * 2000))  # only the constant has a curvature


def test_a_seed_from_which_nothing_is_drawn_is_told() -> None:
    fixed: dict[str, Any] = {"init": {"a": 0, "b": 0, "c": 0, "d": 0}, "seed": 3}
    for nothing in ({"stage": "function", "seed": 3}, fixed, fixed | {"stage": "optim"}):
        assert [each["pointer"] for each in parsed(**nothing).warnings] == ["/seed"], nothing
    for drawn in ({"seed": 3}, fixed | {"dataset": {"noise": 0.1}}, {"stage": "function", "seed": 3, "init": "normal"}):
        assert parsed(**drawn).warnings == [], drawn
    order = {"stage": "dynamic", "seed": 3, "init": {"a": 0, "b": 0, "c": 0, "d": 0, "e": 0}}
    assert parsed(**order).warnings == []


def test_a_job_of_a_batch_is_warned_as_if_alone() -> None:
    kinds: tuple[dict[str, Any], ...] = (
        {"learning_rate": 1e-9}, {"learning_rate": 1e-3}, {"learning_rate": "auto", "steps": 20, "init": "normal"},
        {"stage": "numpy", "dataset": HEIGHTS, "learning_rate": "auto"}, {"stage": "optim", "steps": 1},
        {"stage": "tensor", "steps": 50, "dataset": {"noise": 0.1, "points": 50}}, {"degree": 9}, {"stage": "module"},
        {"learning_rate": 1e-9, "init": {"a": 3.0, "b": 0.0, "c": 0.0, "d": 0.0}}, {"learning_rate": 1e-6, "steps": 9},
    )  # fmt: skip
    jobs = [{"stage": "nn", "seed": seed} | kind for seed in range(6) for kind in kinds]
    batch = parse_batch(BytesIO(json.dumps({"jobs": jobs}).encode()), settings)
    assert [job.warnings for job in batch.jobs] == [parsed(**job).warnings for job in jobs]
    assert len({str(job.warnings) for job in batch.jobs}) > 20
