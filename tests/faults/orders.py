"""What is submitted: a seeded mixture of short jobs that train in packs and long ones that train alone."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

# Steps a second on a busy core, roughly: it decides how long a long job is, and nothing else.
STEPS_PER_SECOND = {"autograd": 4000, "optim": 5000, "dynamic": 4500}
SHORT_STAGES = ("numpy", "tensor", "autograd", "function", "nn", "optim", "module", "dynamic")
SHORT_STEPS = (150, 400, 1000)
SEEDS = 10


@dataclass(frozen=True)
class Order:
    """One submission: its idempotency key, its spec, and the states in which it may end."""

    key: str
    spec: dict[str, Any]
    ends: frozenset[str] = field(default=frozenset({"succeeded"}))


class OrderBook:
    """Makes orders; the same seed makes the same ones in the same order of each kind."""

    def __init__(self, seed: int, long_seconds: tuple[float, float]) -> None:
        self._random = Random(seed)
        self._long_seconds = long_seconds
        self._numbers: dict[str, int] = {}
        self._seed = seed

    def short(self) -> Order:
        """A job of a fraction of a second; many share stage and steps, so they are claimed together."""
        draw = self._random
        stage, steps, seed = draw.choice(SHORT_STAGES), draw.choice(SHORT_STEPS), draw.randrange(SEEDS)
        device = "cpu" if stage == "numpy" else draw.choice(["cpu", "cpu", "auto"])
        return self._order("short", {"stage": stage, "steps": steps, "seed": seed, "device": device})

    def long(self) -> Order:
        """A job that trains alone, since no other has its number of steps; 10 to 30 s in the full form."""
        stage = self._random.choice(list(STEPS_PER_SECOND))
        steps = int(self._random.uniform(*self._long_seconds) * STEPS_PER_SECOND[stage])
        # every long job has a number of steps of its own
        return self._order("long", {"stage": stage, "steps": steps + self._count("long"), "seed": 0})

    def victim(self, steps: int, **more: Any) -> Order:
        """A job to be cancelled: it goes before all others."""
        spec = {"stage": "autograd", "steps": steps + self._count("victim"), "seed": 0, "priority": 50} | more
        return self._order("victim", spec, ends=frozenset({"cancelled", "succeeded"}))

    def pack(self, width: int, steps: int) -> list[Order]:
        """Jobs of one key: the first kills every runner that trains it, the others are innocent."""
        steps += self._count("pack")
        # Of so few points that the stage's width has room for 128.
        spec = {"stage": "tensor", "steps": steps, "priority": 40, "dataset": {"points": 1000}}
        killer = self._order("killer", spec | {"seed": 0, "name": "kills its runner"}, ends=frozenset({"failed"}))
        rest = [self._order("innocent", spec | {"seed": number % SEEDS}) for number in range(1, width)]
        return [killer, *rest]

    def _count(self, kind: str) -> int:
        return self._numbers.get(kind, 0)

    def _order(self, kind: str, spec: dict[str, Any], **more: Any) -> Order:
        number = self._numbers[kind] = self._count(kind) + 1
        return Order(f"{kind}-{self._seed}-{number}", spec, **more)
