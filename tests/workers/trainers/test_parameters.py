"""Initial weights, and how the results are printed."""

import math

import numpy as np
import pytest

from gradyard.jobs.numbers.draws import Stream, normals, uniforms
from tests.workers.trainers.packs import STAGES, WITH_DEGREE, member, pack, train, trainer_of
from workers.trainers.contract import MemberError

all_stages = pytest.mark.parametrize("stage", STAGES)


@pytest.mark.parametrize("stage", ["numpy", "tensor", "autograd", "module", "dynamic"])
def test_scalar_stages_start_from_normal_weights(stage: str) -> None:
    (weights,) = trainer_of([member(stage, dtype="float64")]).coefficients()
    assert list(weights.values()) == normals(7, Stream.INITIAL_WEIGHTS, len(weights)).tolist()


def test_the_function_stage_starts_where_the_tutorial_does() -> None:
    assert (
        trainer_of(pack("function", 2, dtype="float64")).coefficients()
        == [{"a": 0.0, "b": -1.0, "c": 0.0, "d": 0.3}] * 2
    )


@pytest.mark.parametrize("stage", ["nn", "optim"])
@pytest.mark.parametrize(("degree", "bound"), [(0, 1.0), (1, 1.0), (3, 1 / math.sqrt(3)), (9, 1 / 3)])
def test_linear_stages_start_like_torchs_linear_layer(stage: str, degree: int, bound: float) -> None:
    (weights,) = trainer_of([member(stage, degree=degree, dtype="float64")]).coefficients()
    drawn = uniforms(7, Stream.INITIAL_WEIGHTS, degree + 1)
    assert list(weights.values()) == pytest.approx(bound * drawn, rel=1e-15)


def test_float32_weights_are_the_float64_draw_rounded() -> None:
    (weights,) = trainer_of([member("module")]).coefficients()
    drawn = normals(7, Stream.INITIAL_WEIGHTS, 4)
    assert list(weights.values()) == drawn.astype(np.float32).tolist()


def test_a_member_whose_initial_weights_lack_a_letter_is_named() -> None:
    members = pack("dynamic", 3)
    members[1]["init"] = {"a": 1.0, "b": 1.0, "c": 1.0, "d": 1.0}
    with pytest.raises(MemberError, match="no value for e") as caught:
        trainer_of(members)
    assert caught.value.index == 1


@pytest.mark.parametrize("stage", WITH_DEGREE)
@pytest.mark.parametrize(
    ("degree", "expected"),
    [
        (0, "y = 0.5"),
        (1, "y = 0.5 + 1.5 x"),
        (3, "y = 0.5 + 1.5 x + -2.5 x^2 + 3.5 x^3"),
        (4, "y = 0.5 + 1.5 x + -2.5 x^2 + 3.5 x^3 + 4.5 x^4"),
    ],
)
def test_a_polynomial_is_printed_as_the_tutorial_prints_it(stage: str, degree: int, expected: str) -> None:
    init = dict(zip("abcde", (0.5, 1.5, -2.5, 3.5, 4.5)[: degree + 1], strict=False))
    trainer = trainer_of([member(stage, degree=degree, init=init)])
    assert trainer.formula(trainer.coefficients()[0]) == expected


def test_the_other_two_formulas_are_the_tutorials_too() -> None:
    values = {"a": 0.5, "b": 1.5, "c": -2.5, "d": 3.5, "e": 4.5}
    assert trainer_of([member("function")]).formula(values) == "y = 0.5 + 1.5 * P3(-2.5 + 3.5 x)"
    assert trainer_of([member("dynamic")]).formula(values) == (
        "y = 0.5 + 1.5 x + -2.5 x^2 + 3.5 x^3 + 4.5 x^4 ? + 4.5 x^5 ?"
    )


@all_stages
def test_named_initial_weights_are_used_exactly(stage: str) -> None:
    init = {"a": 0.125, "b": -0.25, "c": 3.0, "d": 0.1, "e": 1e-3}
    (coefficients,) = trainer_of([member(stage, init=init, dtype="float64")]).coefficients()
    assert coefficients == {letter: init[letter] for letter in coefficients}


@all_stages
def test_one_seed_has_the_same_normal_weights_in_every_stage(stage: str) -> None:
    (ours,) = trainer_of([member(stage, init="normal", dtype="float64")]).coefficients()
    (first,) = trainer_of([member("numpy", init="normal")]).coefficients()
    assert {letter: ours[letter] for letter in "abcd"} == first


@all_stages
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_coefficients_are_the_state_by_letter_with_full_digits(stage: str, dtype: str) -> None:
    trainer = trainer_of(pack(stage, 2, dtype=dtype))
    train(trainer, 5)
    coefficients, state = trainer.coefficients(), trainer.state()
    assert len(coefficients) == 2
    assert "".join(coefficients[0]) == ("abcde" if stage == "dynamic" else "abcd")
    for index, values in enumerate(coefficients):
        assert values == {letter: float(state[letter][index]) for letter in values}
        assert all(type(value) is float for value in values.values())
