"""How much each parameter explains of what came out: against plain numpy, and for outcomes that are known."""

import numpy as np
import pytest

from service.dashboard.batches.importance import importance

RANDOM = np.random.default_rng(7)
LEVELS = np.repeat([1.0, 2.0, 3.0, 4.0], 25)


def test_a_parameter_that_decides_explains_all_and_one_drawn_by_lot_nothing() -> None:
    noise = RANDOM.permutation(LEVELS)
    shares = importance({"noise": list(noise), "rate": list(LEVELS)}, LEVELS * 10)
    assert shares["rate"] == pytest.approx(1.0)
    assert shares["noise"] < 0.1
    assert list(shares) == ["rate", "noise"]


def test_it_is_epsilon_squared_of_the_ranks() -> None:
    outcome = np.exp(LEVELS + RANDOM.normal(0, 2, len(LEVELS)))
    ranks = outcome.argsort().argsort() + 1.0
    groups = [ranks[level == LEVELS] for level in np.unique(LEVELS)]
    between = sum(len(group) * (group.mean() - ranks.mean()) ** 2 for group in groups)
    within = sum(((group - group.mean()) ** 2).sum() for group in groups)
    expected = (between - 3 * within / (100 - 4)) / (between + within)
    assert importance({"rate": list(LEVELS)}, outcome)["rate"] == pytest.approx(expected)


def test_a_run_that_is_far_off_does_not_decide() -> None:
    outcome = LEVELS * 10
    outcome[0] = 1e300
    assert importance({"rate": list(LEVELS)}, outcome)["rate"] > 0.9


def test_numbers_with_many_values_are_put_into_groups_and_texts_are_groups() -> None:
    rates = 10 ** RANDOM.uniform(-5, 0, 400)
    names = ["adam" if rate < 1e-3 else "sgd" for rate in rates]
    shares = importance({"rate": list(rates), "optimizer.name": names, "seed": list(RANDOM.random(400))}, np.log(rates))
    assert shares["rate"] > 0.95
    assert 0.5 < shares["optimizer.name"] < shares["rate"]
    assert shares["seed"] < 0.1


def test_runs_without_an_outcome_are_left_out_and_what_diverged_is_worst() -> None:
    outcome = np.where(LEVELS > 3, np.inf, LEVELS)
    outcome[::5] = np.nan
    assert importance({"rate": list(LEVELS)}, outcome)["rate"] == pytest.approx(1.0)


@pytest.mark.parametrize("outcome", [np.arange(7.0), np.ones(50), np.full(50, np.nan), np.empty(0)])
def test_nothing_is_said_of_few_or_equal_outcomes(outcome: np.ndarray) -> None:
    assert importance({"rate": list(range(len(outcome)))}, outcome) == {}


def test_a_parameter_with_one_value_or_one_run_for_each_text_explains_nothing() -> None:
    names = [f"n{number}" for number in range(20)]
    assert importance({"same": [None] * 20, "own": names}, np.arange(20.0)) == {"same": 0.0, "own": 0.0}
