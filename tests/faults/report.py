"""The report of a run: its figures as text, and whether it passed."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tests.faults.checker import Verdict
from tests.faults.figures import Resumes

SHOWN = 3  # failures of one kind that are printed
LEAST_RESUMED = 0.95


@dataclass(frozen=True)
class Report:
    """All results of a run, times in seconds. wrong_clock: attempts begun on the host with a wrong clock, if any."""

    database: str
    seed: int
    seconds: float
    verdict: Verdict
    bites: Counter[str]
    wanted: int
    faults: tuple[str, ...]
    skipped: dict[str, str]
    fenced: int
    resumes: Resumes
    figures: dict[str, list[float]]
    cancels: np.ndarray
    usage: list[str]
    wrong_clock: int | None
    broken_promises: list[str]  # of time and steps
    verbs: Mapping[str, int]  # how often each was answered as promised; empty where the load has none

    def failures(self) -> list[str]:
        """Why the run failed; empty where it passed."""
        failures = [f"{name}: {one}" for name, violations in self.verdict.violations.items() for one in violations]
        failures += self.broken_promises
        if not self._run():
            failures.append("no fault was run")
        for name in self.faults:
            if name not in self.skipped and self._bites_of(name) < self.wanted:
                failures.append(f"{name} did harm {self._bites_of(name)} times, {self.wanted} are wanted")
        few = [f"{name} {count} times, {self.wanted} are wanted" for name, count in self.verbs.items()
               if count < self.wanted]  # fmt: skip
        failures += [f"the load: {each}" for each in few]
        if "F8" in self.faults and self.fenced == 0:
            failures.append("no write was fenced: the faults did not reach the fence")
        if self.resumes.cut and self.resumes.resumed < LEAST_RESUMED * self.resumes.cut:
            failures.append(f"{self.resumes.resumed} of {self.resumes.cut} attempts with a record were resumed from it")
        return failures

    def lines(self) -> list[str]:
        """The report as text: a summary in one line, then the figures, then `passed` or the failures."""
        again = [one for name, times in self.figures.items() if name.startswith("trains") for one in times]
        v, bites = self.verdict, ", ".join(f"{name} {self._bites_of(name)}" for name in self._run())
        lines = [
            f"{v.accepted} accepted, {v.terminal} terminal, {v.deleted} deleted, {v.lost} lost, {v.double} double, "
            f"{v.equal}/{v.compared} bitwise equal, faults: {bites}, fenced writes: {self.fenced}, "
            f"recovery p50/p99 {_p50_p99(again)}",
            f"{self.database}, seed {self.seed}, {self.seconds:.0f} s",
            f"cut after a record: {self.resumes.cut}, resumed from it: {self.resumes.resumed}; steps redone: about "
            f"{self.resumes.steps_redone:,}; a kill cost at most {self.resumes.most_seconds_redone:.1f} s of training",
        ]
        if self.verbs:
            lines.append(", ".join(f"{name} {count}" for name, count in self.verbs.items()))
        lines += [f"{name}: {_p50_p99(times)}" for name, times in sorted(self.figures.items()) if times]
        if len(self.cancels):
            p99, most = np.quantile(self.cancels, 0.99), self.cancels.max()
            lines.append(f"cancel: {len(self.cancels)}, p99 {p99:.2f} s, longest {most:.2f} s")
        lines += [f"{name} was not run: {why}" for name, why in self.skipped.items()]
        failures = self.failures()
        lines += [f"FAILED {one}" for one in _some_of_each(failures)]
        return lines + self.usage + ["passed" if not failures else f"failed: {len(failures)} reasons"]

    def _run(self) -> list[str]:
        return [name for name in self.faults if name not in self.skipped]

    def _bites_of(self, name: str) -> int:
        return (self.wrong_clock or 0) if name == "F10" else self.bites[name]


def _some_of_each(failures: list[str]) -> list[str]:
    """The first failures of each kind, and how many more there are."""
    by_kind: dict[str, list[str]] = {}
    for failure in failures:
        by_kind.setdefault(failure.partition(":")[0], []).append(failure)
    shown = []
    for kind, of_kind in by_kind.items():
        shown += of_kind[:SHOWN]
        shown += [f"{kind}: and {len(of_kind) - SHOWN} more"] if len(of_kind) > SHOWN else []
    return shown


def _p50_p99(seconds: list[float]) -> str:
    if not seconds:
        return "-"
    return f"{np.quantile(seconds, 0.5):.2f}/{np.quantile(seconds, 0.99):.2f} s of {len(seconds)}"
