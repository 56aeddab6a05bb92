"""Random questions of two or three terms, as people ask them of a history such as `bench.full_history` makes."""

from collections.abc import Callable
from random import Random

ORDERS = (None, None, "loss_min", "-loss_last", "-finished_at", "metrics.accuracy.max")
_STAGES, _STATES = ("nn", "optim", "tensor", "dynamic", "numpy"), ("failed", "succeeded", "cancelled", "running")
_TERMS: tuple[Callable[[Random], str], ...] = (
    lambda random: f"loss_min < {10 ** random.uniform(-1, 3):.4g}",
    lambda random: f"loss_last > {10 ** random.uniform(-1, 4):.4g}",
    lambda random: f'stage == "{random.choice(_STAGES)}"',
    lambda random: f'state == "{random.choice(_STATES)}"',
    lambda random: 'stage in ("nn", "optim")',
    lambda random: 'not stage == "nn"',
    lambda random: f"learning_rate < {10 ** random.uniform(-7, -2):.3g}",
    lambda random: f"seed == {random.randrange(1000)}",
    lambda random: f"points >= {random.choice((500, 2000, 10_000))}",
    lambda random: f'tags.course == "w{random.randrange(12)}"',
    lambda random: f'tags.owner == "person-{random.randrange(400)}"',
    lambda random: f"metrics.accuracy.max > {random.random():.3f}",
    lambda random: f"optimizer.momentum > {random.choice((0.1, 0.6, 0.95))}",
    lambda random: f"train_seconds > {random.uniform(0, 60):.3g}",
    lambda random: f'finished_at > "2026-{random.randrange(5, 7):02d}-{random.randrange(1, 28):02d}"',
    lambda random: "diverged_at is None",
    lambda random: "loss_last > loss_min",
    lambda random: f"first_below({10 ** random.uniform(0, 3):.3g}) < {random.randrange(1, 100)}",
)  # fmt: skip


def random_list(random: Random) -> dict[str, str]:
    """The parameters of a random list: a question, and often an order."""
    terms = [random.choice(_TERMS)(random) for _ in range(random.choice((2, 3)))]
    order = random.choice(ORDERS)
    return {"where": " and ".join(terms)} | ({"sort": order} if order else {})
