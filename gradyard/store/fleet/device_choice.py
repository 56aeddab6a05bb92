"""Which kind of slot, `cpu` or `gpu`, is estimated to end waiting jobs of `device: auto` sooner, and why, in words."""

from dataclasses import dataclass

from gradyard.jobs.fleet import WORKER_QUEUES

GPU_MARGIN = 2.0
"""How much sooner CPU slots must end than GPU slots: the error of the estimate. It keeps a batch together, of which the
last share would often end a little sooner on CPUs once some GPUs have taken theirs."""


@dataclass(frozen=True)
class SlotsOfKind:
    """The live slots of a queue that may take the jobs, and in how many seconds they would end all of them.

    seconds: None where there is no slot, where all are busy for an unknown time, or the stage was not measured there.
    if_free: the same, if all of them were free now.
    """

    slots: int
    seconds: float | None
    if_free: float | None


@dataclass(frozen=True)
class DeviceChoice:
    """The estimate for so many waiting jobs alike, of which the oldest has waited for `waited` seconds.

    cpu, gpu: the slots of each kind.
    """

    jobs: int
    waited: float
    cpu: SlotsOfKind
    gpu: SlotsOfKind

    def is_left_by(self, queue: str) -> bool:
        """Whether slots of this queue leave the jobs to those of the other kind.

        CPU slots do where GPU slots end sooner, GPU slots where CPU slots end in half the time; but only while the jobs
        have waited for less than these slots would need themselves. Both kinds never leave the same jobs.
        """
        own, other = self._own_and_other(queue)
        if own.seconds is None or other.seconds is None or self.waited >= own.seconds:
            return False
        return other.seconds * (GPU_MARGIN if queue == "gpu" else 1.0) < own.seconds

    def sentence(self, queue: str) -> str:
        """Why slots of this queue take the jobs, for a person."""
        own, other = self._own_and_other(queue)
        name = next(each for each in WORKER_QUEUES if each != queue)
        if not other.slots:
            return f"auto chose {queue}: no {name} slot can take it"
        if own.if_free is None or other.if_free is None:
            return f"auto chose {queue}: its slot was the first; there is no estimate for such jobs"
        alike = f"the {self.jobs:,} jobs alike are " if self.jobs > 1 else ""
        times = f"{_words(own, queue)}, {_words(other, name)}{self._why_all_the_same(queue, own, other)}"
        return f"auto chose {queue}: {alike}estimated to take {times}"

    def _why_all_the_same(self, queue: str, own: SlotsOfKind, other: SlotsOfKind) -> str:
        """Where the other kind ends sooner, why slots of this queue take the jobs nevertheless."""
        if own.seconds is None or other.seconds is None or own.seconds <= other.seconds:
            return ""
        if self.waited >= own.seconds:
            return f"; after {_seconds(self.waited)} of waiting the first slot takes it"
        return "; this slot leaves many others already" if self.is_left_by(queue) else "; too close to leave it"

    def _own_and_other(self, queue: str) -> tuple[SlotsOfKind, SlotsOfKind]:
        return (self.gpu, self.cpu) if queue == "gpu" else (self.cpu, self.gpu)


def _words(kind: SlotsOfKind, name: str) -> str:
    seconds = kind.if_free if kind.seconds is None else kind.seconds
    ends = "an unknown time" if seconds is None else _seconds(seconds)
    free = "" if kind.seconds is not None else f" once {'it is' if kind.slots == 1 else 'they are'} free"
    return f"{ends} on {kind.slots:,} {name} slot{'' if kind.slots == 1 else 's'}{free}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:,.0f} s"
