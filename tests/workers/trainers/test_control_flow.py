"""What only stage 8 does: a weight that some steps use and others do not."""

import numpy as np
import pytest

from gradyard.jobs.numbers.draws import orders
from tests.workers.trainers.packs import OPTIMIZERS, pack, trainer_of
from workers.trainers.models.order_plan import ALL, OrderPlan


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_step_of_order_three_leaves_e_and_its_slots_alone(optimizer: str) -> None:
    settings = OPTIMIZERS[optimizer] | {"weight_decay": 0.1} | ({"momentum": 0.9} if optimizer == "sgd" else {})
    members = pack("dynamic", 6, points=50, optimizer=settings, learning_rate=1e-6)
    drawn = np.stack([orders(each["seed"], 0, 30) for each in members])
    for few in (members, members[:1]):
        trainer = trainer_of(few)
        for t in range(30):
            before = trainer.state()
            trainer.step(t)
            after = trainer.state()
            for name in before:
                moved = before[name] != after[name]
                expected = drawn[: len(few), t] > 3 if name.endswith("e") else np.full(len(few), True)
                assert np.array_equal(moved, expected), (t, name)


@pytest.mark.parametrize("begin", [0, 1, 1023, 1024, 5000])
def test_the_terms_of_a_step_are_those_its_orders_have_wherever_training_begins(begin: int) -> None:
    members = pack("dynamic", 3)
    plan = OrderPlan(members)
    for t in range(begin, begin + 1100):
        drawn = np.array([orders(each["seed"], t, 1)[0] for each in members])
        terms = {term.exponent: term.participants.rows for term in plan.terms(t)}
        for exponent in (4, 5):
            having = np.flatnonzero(drawn >= exponent)
            assert (exponent in terms) == bool(len(having))
            if len(having):
                rows = terms[exponent]
                assert rows is ALL if len(having) == 3 else np.array_equal(np.asarray(rows), having)
