"""The closed form of gradient descent on least squares, beside numpy's own fit and descent step by step."""

import numpy as np
import pytest

from gradyard.jobs.submission.resolution.quadratic import PowersOfX

RNG = np.random.default_rng(5)
DATA = {
    "the tutorial's": (np.linspace(-np.pi, np.pi, 2000), 4),
    "x in the thousands": (RNG.uniform(1_000, 5_000, 300), 4),
    "two distinct x": (np.repeat([1.0, 2.0], 50), 4),
    "fewer points than coefficients": (np.array([1.0, 2.0, 3.0]), 6),
    "more points than one slice": (np.linspace(0, 1, 70_000), 3),
    "a constant": (np.linspace(0, 1, 50), 1),
}


def data_of(name: str) -> tuple[np.ndarray, np.ndarray, int]:
    x, columns = DATA[name]
    return x, np.sin(x) + RNG.normal(size=len(x)), columns


@pytest.mark.parametrize("name", DATA)
@pytest.mark.filterwarnings("ignore:Polyfit may be poorly conditioned")
def test_the_attainable_loss_is_that_of_polyfit(name: str) -> None:
    x, y, columns = data_of(name)
    fitted = np.polyval(np.polyfit(x, y, columns - 1), x)
    expected = ((fitted - y) ** 2).sum()
    assert PowersOfX(x, columns).fit(y, 1).attainable == pytest.approx(expected, rel=1e-8, abs=1e-18 * (y @ y))
    assert PowersOfX(x, columns).fit(y, len(x)).attainable == pytest.approx(expected / len(x), rel=1e-8, abs=1e-18)


@pytest.mark.parametrize("name", DATA)
def test_the_loss_after_some_steps_is_that_of_doing_them(name: str) -> None:
    x, y, columns = data_of(name)
    powers, weights = np.vander(x, columns, increasing=True), RNG.normal(size=columns)
    for divisor in (1, len(x)):
        quadratic = PowersOfX(x, columns).fit(y, divisor)
        rate, done = 1 / quadratic.steepest, weights.copy()
        for _ in range(40):
            done -= rate * 2 / divisor * powers.T @ (powers @ done - y)
        expected = ((powers @ done - y) ** 2).sum() / divisor
        (loss,) = quadratic.after(rate, 40).losses(weights[np.newaxis])
        assert loss == pytest.approx(expected, rel=1e-9)
        assert quadratic.most_loss_at(np.abs(weights).max(), rate, 40) >= loss


def test_the_first_step_near_enough_is_found_from_each_start() -> None:
    x, y, columns = data_of("the tutorial's")
    quadratic = PowersOfX(x, columns).fit(y, 1)
    weights = RNG.normal(size=(50, columns)) * np.logspace(-3, 3, 50)[:, np.newaxis]
    weights[0] = np.polynomial.polynomial.polyfit(x, y, columns - 1)
    rate, goal = 1 / quadratic.steepest, 1.01 * quadratic.attainable
    steps = quadratic.steps_to(goal, weights, rate)
    assert steps[0] == 0
    for start, step in zip(weights[1:, np.newaxis], steps[1:], strict=True):
        assert quadratic.after(rate, step).losses(start) <= goal < quadratic.after(rate, step - 1).losses(start)
    assert (quadratic.steps_to(0.99 * quadratic.attainable, weights, rate) == -1).all()


def test_what_is_found_of_one_start_has_the_bits_that_it_has_among_many() -> None:
    x, y, columns = data_of("the tutorial's")
    quadratic, weights = PowersOfX(x, columns).fit(y, 1), RNG.normal(size=(200, columns))
    rate = 1 / quadratic.steepest
    descent, goal = quadratic.after(rate, 40), 1.01 * quadratic.attainable
    alone = [descent.losses(start)[0] for start in weights[:, np.newaxis]]
    assert descent.losses(weights).tolist() == alone
    steps_alone = [quadratic.steps_to(goal, start, rate)[0] for start in weights[:, np.newaxis]]
    assert quadratic.steps_to(goal, weights, rate).tolist() == steps_alone


def test_the_condition_is_that_of_the_powers() -> None:
    x, y, columns = data_of("the tutorial's")
    quadratic = PowersOfX(x, columns).fit(y, 1)
    assert quadratic.condition == pytest.approx(np.linalg.cond(np.vander(x, columns)))
    assert quadratic.at_zero == pytest.approx(y @ y)
