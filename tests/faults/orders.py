"""The jobs of a run: a seeded mixture of short jobs that train in packs and long jobs that train alone."""

from dataclasses import dataclass
from random import Random
from typing import Any

from tests.faults.data_files import OTHERS, large, small

# Steps a second on a busy core, roughly. It only decides how many steps a long job has.
STEPS_PER_SECOND = {"autograd": 4000, "optim": 5000, "dynamic": 4500}
RESTING_STEPS_PER_SECOND = 400
RESTS = {"tags": {"pace": "slow"}}  # bad_trainers: it takes no core
SHORT_STAGES = ("numpy", "tensor", "autograd", "function", "nn", "optim", "module", "dynamic")
SHORT_STEPS = (150, 400, 1000)
SEEDS = 10
LINKS_PRIORITY, PACKS_PRIORITY, LIVES_PRIORITY = 52, 55, 60  # before the victims of cancels, which keep every slot busy
PLANNED_PRIORITY = 0  # of the short jobs and most of the long ones
HIT_PRIORITY = 58  # of long jobs that kills hit: all those of a short run, which ends once each kind did harm
HIT_SOON = 3  # one of so many long jobs of a full run has it: else they would begin when all others have ended
AWAITED_PRIORITY = 59  # of jobs that a fault other than a kill waits for: before the long jobs
SUCCEEDS, FAILS = frozenset({"succeeded"}), frozenset({"failed"})


@dataclass(frozen=True)
class Order:
    """One submission: its idempotency key, its spec, and the states in which it may end."""

    key: str
    spec: dict[str, Any]
    ends: frozenset[str] = SUCCEEDS


class OrderBook:
    """Makes orders. For each kind, the same seed makes the same orders in the same sequence.

    rests: whether jobs that run for seconds rest between two steps. on_files: whether short jobs are trained on files
    too, which the service then has (`data_files.send_in`).
    """

    def __init__(
        self, seed: int, long_seconds: tuple[float, float], *, rests: bool = False, on_files: bool = False
    ) -> None:  # fmt: skip
        self._kinds = ("function", "function", "small", "large") if on_files else ("function",)
        self._random = Random(seed)
        self._long_seconds = long_seconds
        self._numbers: dict[str, int] = {}
        self._seed = seed
        self._rests: dict[str, Any] = RESTS if rests else {}

    def steps_of(self, seconds: float, stage: str = "autograd") -> int:
        """How many steps a long job does in about that time."""
        return int(seconds * (RESTING_STEPS_PER_SECOND if self._rests else STEPS_PER_SECOND[stage]))

    def short(self) -> Order:
        """A job of a fraction of a second. Many have the same stage and steps, so they are claimed together."""
        draw = self._random
        stage, steps, seed = draw.choice(SHORT_STAGES), draw.choice(SHORT_STEPS), draw.randrange(SEEDS)
        device = "cpu" if stage == "numpy" else draw.choice(["cpu", "cpu", "auto"])
        spec = {"stage": stage, "steps": steps, "seed": seed, "device": device}
        kind = draw.choice(self._kinds)
        if kind == "small":
            spec |= small().spec()
        elif kind == "large":
            spec |= large().spec() | {"steps": min(SHORT_STEPS)}
        return self._order("short", spec)

    def on_a_large_file(self) -> Order:
        """A job on columns of the large file that no process has read lately, before most others."""
        column = f"z{self._count('file') % OTHERS}"
        spec = {"stage": "tensor", "steps": min(SHORT_STEPS), "seed": 0, "priority": LIVES_PRIORITY}
        return self._order("file", spec | large().spec(column))

    def long(self) -> Order:
        """A job that trains alone, since no other has its number of steps: 10 to 30 s in the full form."""
        stage = self._random.choice(list(STEPS_PER_SECOND))
        steps = self.steps_of(self._random.uniform(*self._long_seconds), stage)
        number = self._count("long")  # every long job has a number of steps of its own
        first = {"priority": HIT_PRIORITY} if self._rests or number % HIT_SOON == 0 else {}
        return self._order("long", {"stage": stage, "steps": steps + number, "seed": 0} | self._rests | first)

    def victim(self, steps: int, **more: Any) -> Order:
        """A long job for a fault that names it, by default to be cancelled: before the short jobs."""
        spec = {"stage": "autograd", "steps": steps + self._count("victim"), "seed": 0, "priority": 50}
        return self._order("victim", spec | self._rests | more, ends=frozenset({"cancelled", "succeeded"}))

    def batch(self, steps: int) -> list[Order]:
        """Jobs to be cancelled as a batch: some are claimed as one pack, each other one trains alone."""
        ends, steps = frozenset({"cancelled", "succeeded"}), steps + self._count("member")
        spec: dict[str, Any] = {"stage": "autograd", "steps": steps, "priority": LIVES_PRIORITY}
        together = [self._order("member", spec | {"seed": seed}, ends=ends) for seed in range(3)]
        alone = [spec | {"steps": 4 * steps + number, "seed": 0} for number in (1, 2, 3)]
        return [*together, *(self._order("member", each, ends=ends) for each in alone)]

    def failing(self) -> Order:
        """A job whose trainer raises an error at its first step."""
        spec = {"stage": "tensor", "steps": 50 + self._count("failing"), "seed": 0, "name": "raises", "max_retries": 0}
        spec["priority"] = LIVES_PRIORITY
        return self._order("failing", spec, ends=FAILS)

    def waiting(self, count: int) -> list[Order]:
        """Jobs for a GPU, which a service without one can only keep and cancel."""
        spec = {"stage": "tensor", "steps": 2000, "device": "gpu"}
        return [self._order("waiting", spec | {"seed": n}, ends=frozenset({"cancelled"})) for n in range(count)]

    def gate(self) -> Order:
        """A job that ends when it is cancelled: it is for a GPU, and there is none."""
        spec = {"stage": "tensor", "steps": 2000, "device": "gpu", "seed": 0}
        return self._order("gate", spec, ends=frozenset({"cancelled"}))

    def link(
        self, least_steps: int, *depends_on: dict[str, str], ends: frozenset[str] = SUCCEEDS, **more: Any
    ) -> Order:
        """A job of a pipeline. It trains alone, unless `more` names its steps. depends_on: as in a spec."""
        spec = {"stage": "autograd", "steps": least_steps + self._count("link"), "seed": 0, "priority": LINKS_PRIORITY}
        return self._order("link", spec | {"depends_on": list(depends_on)} | more, ends=ends)

    def pack(self, width: int, steps: int) -> list[Order]:
        """Jobs that are claimed as one pack. The first kills every runner that trains it, the others are harmless."""
        steps += self._count("pack")
        # 1,000 points: few enough that the widest pack of the stage holds 128 jobs
        spec = {"stage": "tensor", "steps": steps, "priority": PACKS_PRIORITY, "dataset": {"points": 1000}}
        killer = self._order("killer", spec | {"seed": 0, "name": "kills its runner"}, ends=FAILS)
        rest = [self._order("innocent", spec | {"seed": number % SEEDS}) for number in range(1, width)]
        return [killer, *rest]

    def _count(self, kind: str) -> int:
        return self._numbers.get(kind, 0)

    def _order(self, kind: str, spec: dict[str, Any], **more: Any) -> Order:
        number = self._numbers[kind] = self._count(kind) + 1
        return Order(f"{kind}-{self._seed}-{number}", spec, **more)
