"""What a job's life should be, in plain Python: no SQL, no fence, just who holds what."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

QUEUED, RUNNING, FINISHED = "queued", "running", ("succeeded", "failed", "cancelled")
MOST_TIMES_LOST_ALONE = 10
CHECKPOINTS_KEPT = 2
NOT_YET = -1  # the start step of a job that waits for others


@dataclass
class ModelJob:
    """One job. `chunks` are the recorded losses by the step at which they begin.

    after: the jobs that it waits for, and how they must end. wait: `waiting`, then `met` or `failed`. followed: others
    wait for it, and have not heard of its end.
    """

    number: int
    steps: int
    priority: int = 0
    state: str = QUEUED
    attempt: int = 0
    marked: bool = False
    start_step: int = 0
    steps_done: int = 0
    times_lost: int = 0
    max_pack: int | None = None
    reason: str | None = None
    chunks: dict[int, tuple[float, ...]] = field(default_factory=dict)
    checkpoints: set[int] = field(default_factory=set)
    result: int | None = None
    after: dict[UUID, str] = field(default_factory=dict)
    wait: str | None = None
    followed: bool = False
    events: list[tuple[str | None, str, int]] = field(default_factory=lambda: [(None, QUEUED, 0)])

    @property
    def blocked(self) -> bool:
        """Whether it waits for others, and not for a worker."""
        return self.state == QUEUED and self.wait is not None

    def begin_to_wait(self, after: dict[UUID, str]) -> None:
        """Wait for these."""
        self.after, self.wait, self.start_step = after, "waiting", NOT_YET

    def end_wait(self, number: int) -> None:
        """Take a place in the queue, as if submitted now, or fail, as was decided."""
        decided, self.wait, self.start_step = self.wait, None, 0
        if decided == "met":
            self.number = number
            self.move(QUEUED)
        else:
            self.fail("upstream_failed")

    def held_by(self, attempt: int) -> bool:
        """Whether that attempt is the present one, and on."""
        return self.state == RUNNING and self.attempt == attempt

    def move(self, to: str) -> None:
        """Go there."""
        self.attempt += to == RUNNING
        if self.wait is not None:
            self.wait, self.start_step = None, 0
        self.events.append((self.state, to, self.attempt))
        self.state = to
        if to in ("failed", "cancelled"):
            self.checkpoints = set()

    def record(self, start: int, losses: tuple[float, ...], *, checkpoint: bool = True) -> None:
        """So many steps more are stored."""
        if losses:
            self.chunks[start] = losses
        self.steps_done = start + len(losses)
        if checkpoint:
            self.start_step, self.times_lost, self.max_pack = self.steps_done, 0, None
            self.checkpoints = set(sorted({*self.checkpoints, self.steps_done})[-CHECKPOINTS_KEPT:])

    def hand_back(self, *, lost: bool = False, max_pack: int | None = None) -> None:
        """Move the job back into the queue, or to `cancelled` where a cancel was requested."""
        if self.marked:
            self.move("cancelled")
            return
        self.times_lost += lost
        self.max_pack = self.max_pack if max_pack is None else max_pack
        self.steps_done = self.start_step
        self.move(QUEUED)

    def fail(self, reason: str) -> None:
        """Move the job to `failed` with that reason."""
        self.reason = reason
        self.move("failed")

    def rewind(self, step: int) -> None:
        """Forget all that was stored after that step."""
        self.start_step = self.steps_done = step
        self.chunks = {start: losses for start, losses in self.chunks.items() if start < step}
        self.checkpoints = {each for each in self.checkpoints if each <= step}


def verdict(after: Mapping[UUID, str], jobs: Mapping[UUID, ModelJob]) -> str:
    """How far a wait for these is: `waiting`, `met`, or `failed` as soon as one ended otherwise than asked."""
    states = [(jobs[each].state, condition) for each, condition in after.items()]
    if any(state in FINISHED and state != "succeeded" == condition for state, condition in states):
        return "failed"
    return "met" if all(state in FINISHED for state, _ in states) else "waiting"


@dataclass
class ModelClaim:
    """A pack that a worker process took; the process remembers it even when it is gone."""

    worker: int
    members: list[tuple[ModelJob, int]]
    width: int
    over: bool = False  # its lease
    there: bool = True

    def running(self) -> Iterable[ModelJob]:
        """The members that it still holds."""
        return [job for job, attempt in self.members if job.held_by(attempt)]

    def release(self) -> None:
        """The process releases the claim, and its running jobs are handed back."""
        for job in self.running() if self.there else []:
            job.hand_back()
        self.there = False

    def lose(self) -> None:
        """The process sent no heartbeat for a lease, or a new process of its slot reports that it is dead."""
        for job in self.running():
            if self.width > 1:
                job.hand_back(max_pack=max(1, self.width // 2))
            elif job.times_lost + 1 >= MOST_TIMES_LOST_ALONE:
                job.times_lost += 1
                job.fail("poison")
            else:
                job.hand_back(lost=True)
        self.there = False
