"""What a job's life should be, in plain Python: no SQL, no fence, just who holds what."""

from collections.abc import Iterable
from dataclasses import dataclass, field

QUEUED, RUNNING, FINISHED = "queued", "running", ("succeeded", "failed", "cancelled")
MOST_TIMES_LOST_ALONE = 10
CHECKPOINTS_KEPT = 2


@dataclass
class ModelJob:
    """One job. `chunks` are the recorded losses by the step at which they begin."""

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
    events: list[tuple[str | None, str, int]] = field(default_factory=lambda: [(None, QUEUED, 0)])

    def held_by(self, attempt: int) -> bool:
        """Whether that attempt is the present one, and on."""
        return self.state == RUNNING and self.attempt == attempt

    def move(self, to: str) -> None:
        """Go there."""
        self.attempt += to == RUNNING
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
