"""The band of all curves of a batch, against numpy."""

from uuid import UUID

import numpy as np
import pytest

from gradyard.store.database import Database
from gradyard.store.queries.page.runs import Length
from service.dashboard.batches.band import MOST_KEPT, QUANTILES, band_of, chosen_steps, quantiles


@pytest.mark.parametrize("runs", [1, 2, 3, 10, 101])
def test_its_quantiles_are_those_of_numpy_over_the_runs_that_have_the_step(runs: int) -> None:
    random = np.random.default_rng(runs)
    losses = random.lognormal(size=(runs, 40))
    losses[random.random(losses.shape) < 0.3] = np.nan
    losses[0, 0], losses[:, 1] = 1.0, np.nan
    found = quantiles(losses)
    for step in range(40):
        there = losses[np.isfinite(losses[:, step]), step]
        expected = np.quantile(there, QUANTILES) if len(there) else np.full(len(QUANTILES), np.nan)
        np.testing.assert_allclose(found[:, step], expected)


def test_without_runs_or_steps_it_is_empty() -> None:
    assert quantiles(np.empty((0, 3))).shape == quantiles(np.full((2, 3), np.nan)).shape == (len(QUANTILES), 3)
    assert quantiles(np.empty((4, 0))).shape == (len(QUANTILES), 0)


@pytest.mark.parametrize("longest", [0, 1, 2, 210, 211, 30_000, 10_000_000])
def test_steps_of_a_picture_are_few_and_have_the_first_and_the_last(longest: int) -> None:
    steps = chosen_steps(longest)
    assert len(steps) <= 210
    assert (np.diff(steps) > 0).all()
    assert not longest or (steps[0], steps[-1]) == (0, longest - 1)


def test_of_many_runs_evenly_chosen_ones_are_read(database: Database) -> None:
    runs = [Length(UUID(int=number), 300) for number in range(30_000)]
    with database.snapshot() as connection:
        band = band_of(connection, runs)
    assert band.having == 30_000
    assert band.read * len(band.steps) <= MOST_KEPT
    assert band.read > 5_000
