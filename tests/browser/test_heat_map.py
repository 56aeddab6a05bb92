"""The heat map of a batch: a cell for each pair of values of two parameters, told by its title."""

from collections.abc import Callable
from statistics import median
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from gradyard.jobs.settings import Settings
from gradyard.store import lifecycle
from gradyard.store.database import Database
from tests.actors import progress_of
from tests.browser.conftest import OpenPage
from tests.browser.test_batches import claims, drawn, stored

pytestmark = pytest.mark.browser

RATES, MOMENTA, SEEDS = (0.25, 0.5), (0.0, 0.5, 0.75), (1, 2, 4)
Seeded = tuple[str, Database, Settings]


@pytest.fixture(scope="module")
def url(seeded: Seeded) -> str:
    """The address of the service."""
    return seeded[0]


def loss_of(rate: float, momentum: float, seed: int) -> float:
    """The loss of a run: exact in float32, and no two cells of any two parameters have the same."""
    return 100 * rate + 8 * momentum + seed


@pytest.fixture(scope="module")
def batch(seeded: Seeded) -> UUID:
    """A sweep of three parameters, of which all jobs have succeeded."""
    _, database, settings = seeded
    sgd = {"stage": "optim", "steps": 2, "optimizer": {"name": "sgd"}}
    grid = {"learning_rate": RATES, "optimizer.momentum": MOMENTA, "seed": SEEDS}
    made = stored(database, settings, {"spec": sgd, "grid": grid})
    for claim in claims(database):
        with database.begin() as connection:
            for member in claim.members:
                spec = member.spec
                loss = loss_of(spec["learning_rate"], spec["optimizer"]["momentum"], spec["seed"])
                assert lifecycle.record(connection, progress_of(member, [200.0, loss]))
                outcome = lifecycle.Outcome({"a": 0.5}, "y = 0.5", {"engine": "eager"})
                assert lifecycle.succeed(connection, member.held, outcome, actor="worker")
            lifecycle.release(connection, claim.id, actor="worker")
    return made


def choose(page: Page, across: str, up: str, shows: str) -> None:
    for select, option in (("#heat-x", across), ("#heat-y", up), ("#heat-of", shows)):
        page.locator(select).select_option(option)


def titles(page: Page) -> list[str]:
    return sorted(page.locator("#heat svg.heat rect title").all_text_contents())


def of_rates_and_momenta(shows: str, outcome: Callable[[list[float]], float]) -> list[str]:
    """The titles of all cells, each with this outcome of its runs."""
    return sorted(
        f"learning_rate {rate:g}, optimizer.momentum {momentum:g}: "
        f"{shows} {outcome([loss_of(rate, momentum, seed) for seed in SEEDS]):g}, 3 runs"
        for rate in RATES for momentum in MOMENTA
    )  # fmt: skip


def of_seeds_and_rates() -> list[str]:
    """The titles of all cells of these two, each with the best of its runs."""
    best = [(seed, rate, loss_of(rate, 0, seed)) for seed in SEEDS for rate in RATES]
    return sorted(f"seed {seed}, learning_rate {rate:g}: best {loss:g}, 3 runs" for seed, rate, loss in best)


def test_each_cell_tells_its_values_the_best_outcome_and_how_many_runs_it_has(open_page: OpenPage, batch: UUID) -> None:
    page = drawn(open_page(f"/batches/{batch}"))
    choose(page, "learning_rate", "optimizer.momentum", "best")
    assert titles(page) == of_rates_and_momenta("best", min)
    expect(page.locator("#heat svg.heat")).to_have_attribute(
        "aria-label", "best outcome by learning_rate and optimizer.momentum"
    )
    expect(page.locator("#heat .heat-key")).to_contain_text("26")  # the best of all
    expect(page.locator("#heat .heat-key")).to_contain_text("57")  # the worst of the cells


def test_another_parameter_or_the_median_draws_it_anew(open_page: OpenPage, batch: UUID) -> None:
    page = drawn(open_page(f"/batches/{batch}"))
    choose(page, "learning_rate", "optimizer.momentum", "median")
    assert titles(page) == of_rates_and_momenta("median", median)
    choose(page, "seed", "learning_rate", "best")
    assert titles(page) == of_seeds_and_rates()


def test_where_the_highest_is_best_a_cell_shows_it(open_page: OpenPage, batch: UUID) -> None:
    page = drawn(open_page(f"/batches/{batch}?metric=loss_min&mode=max"))
    choose(page, "learning_rate", "optimizer.momentum", "best")
    assert titles(page) == of_rates_and_momenta("best", max)


def test_a_question_leaves_the_cells_of_its_runs_alone(open_page: OpenPage, batch: UUID) -> None:
    page = drawn(open_page(f"/batches/{batch}?where=learning_rate+%3D%3D+0.5+and+seed+>+1"))
    choose(page, "seed", "optimizer.momentum", "best")
    assert titles(page) == sorted(
        f"seed {seed}, optimizer.momentum {momentum:g}: best {loss_of(0.5, momentum, seed):g}, 1 run"
        for seed in SEEDS[1:] for momentum in MOMENTA
    )  # fmt: skip
