"""The supervisor's book of one pack: which members are still in it, and what each did since its last record."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from jobs.curves import Summary
from jobs.lifecycle import Claim, ClaimedJob, Outcome, Progress
from jobs.stages import stage_named
from workers.checkpoints import MOST_BYTES, fingerprint, freeze
from workers.wire import Frame

MOST_STATE_BYTES = MOST_BYTES - 2**16  # its frame's header goes with it


@dataclass
class Member:
    """One job of the pack: its losses since the last record, and the figures of its curve so far."""

    index: int
    job: ClaimedJob
    recorded_to: int
    summary: Summary
    pending: list[np.ndarray] = field(default_factory=list)
    metrics: dict[str, list[np.ndarray]] = field(default_factory=dict)  # since the last record, by name
    every: int = 1  # how many steps lie between two of their values
    diverged_at: int | None = None

    def take(self, row: int, frame: Frame) -> None:
        """Its row of a segment; from the first loss that is not finite on, nothing counts."""
        losses, start_step = frame.arrays["losses"][row], frame.fields["start_step"]
        bad = np.flatnonzero(~np.isfinite(losses))
        if len(bad):
            self.diverged_at = start_step + int(bad[0])
            losses = losses[: bad[0]]
        self.pending.append(losses)
        self.every = frame.fields.get("every", 1)
        counted = measured_steps(start_step, start_step + len(losses), self.every)
        for name, values in named(frame, "metric.").items():
            self.metrics.setdefault(name, []).append(values[row][:counted])
        self.summary.take(losses, start_step)
        self.summary.train_seconds += frame.fields["seconds"]
        self.summary.setup_seconds += frame.fields["setup_seconds"]


class Pack:
    """A claimed pack in training. `members` holds those not yet moved on, by their index in the claim."""

    def __init__(self, claim: Claim, facts: dict[str, Any]) -> None:
        self.claim, self.facts = claim, facts
        self.width = len(claim.members)
        self.step, self.engine = claim.start_step, claim.engine
        books = (Member(index, job, self.step, Summary(**job.summary)) for index, job in enumerate(claim.members))
        self.members = {member.index: member for member in books}
        self._numerics_version = stage_named(claim.stage).numerics_version

    def train_frame(self, states: list[dict[str, np.ndarray]], segment_seconds: float, record_seconds: float) -> Frame:
        """What the runner needs to begin; `states` of the members are stacked along the member axis."""
        stage = stage_named(self.claim.stage)
        # What was begun with an engine goes on with it; only a first attempt may still be done by another.
        otherwise = stage.trainer if self.engine != "eager" and self.claim.start_step == 0 else None
        fields = {
            "trainer": stage.trainer_of(self.engine), "otherwise": otherwise, "steps": self.claim.steps,
            "members": [job.spec | job.resolved for job in self.claim.members], "start_step": self.claim.start_step,
            "segment_seconds": segment_seconds, "record_seconds": record_seconds,
        }  # fmt: skip
        arrays = {name: np.stack([state[name] for state in states]) for name in (states[0] if states else {})}
        return Frame("train", fields, arrays)

    def take(self, frame: Frame) -> None:
        """Enter the losses of a segment frame; rows of members that have moved on are passed over."""
        fields, losses = frame.fields, frame.arrays["losses"]
        for row, index in enumerate(fields["members"]):
            if member := self.members.get(index):
                member.take(row, frame)
        self.step = fields["start_step"] + losses.shape[1]

    def worth_recording(self, frame: Frame) -> list[Member]:
        """The members whose record this frame completes: it carries their state, or their curve ended.

        A state that is too large to be kept completes none before the end: losses without the state after them would
        be there twice, once the job was begun anew.
        """
        listed, over = frame.fields["members"], "results" in frame.fields
        size = sum(array.nbytes for array in named(frame, "state.").values()) // max(1, len(listed))
        whole = frame.fields.get("whole", False) and (over or size <= MOST_STATE_BYTES)
        return [m for m in self.members.values() if m.diverged_at is not None or (whole and m.index in listed)]

    def in_order(self) -> list[Member]:
        """The members that are in it, in the order in which every transaction locks their rows."""
        return sorted(self.members.values(), key=lambda member: member.job.id)

    def progress(self, member: Member, frame: Frame) -> Progress:
        """What is new of a member since its last record, with the state that the frame carries."""
        losses = np.concatenate(member.pending) if member.pending else np.empty(0)
        blob, sha256 = self._checkpoint(member, frame)
        summary = replace(member.summary, records=member.summary.records + 1)
        made_by = self.fingerprint_of(member.job)
        job, metrics = member.job, {name: np.concatenate(parts) for name, parts in member.metrics.items()}
        return Progress(
            job.id, job.attempt, member.recorded_to, losses, summary, blob, sha256, made_by,
            metrics, member.every,
        )  # fmt: skip

    def settle(self, member: Member, progress: Progress) -> None:
        """The record is committed: what comes next starts after it."""
        member.recorded_to, member.pending, member.metrics = progress.steps_done, [], {}
        member.summary.records += 1

    def outcome(self, row: int, frame: Frame) -> Outcome:
        """What the member of that row found, from the last frame."""
        environment, result = self.facts | {"engine": self.engine}, frame.fields["results"][row]
        shown = {key: environment[key] for key in _SHOWN}
        arrays = {name: array[row] for name, array in named(frame, "found.").items()}
        return Outcome(result["coefficients"], result["formula"], shown, arrays)

    def fingerprint_of(self, job: ClaimedJob) -> str:
        """What a checkpoint of this job must have been made by."""
        return fingerprint(job.spec_sha256, self._numerics_version, self.engine, self.facts)

    @staticmethod
    def _checkpoint(member: Member, frame: Frame) -> tuple[bytes | None, str]:
        listed, whole = frame.fields["members"], frame.fields.get("whole", False)
        if not whole or member.index not in listed or member.diverged_at is not None:
            return None, ""
        row = listed.index(member.index)
        blob, sha256 = freeze({name: array[row] for name, array in named(frame, "state.").items()})
        return (blob, sha256) if len(blob) <= MOST_BYTES else (None, "")


def named(frame: Frame, prefix: str) -> dict[str, np.ndarray]:
    """The frame's arrays whose names begin so, without it."""
    return {name.removeprefix(prefix): each for name, each in frame.arrays.items() if name.startswith(prefix)}


def measured_steps(begin: int, end: int, every: int) -> int:
    """How many of the steps from `begin` up to `end` are measured: those that `every` divides."""
    return -(-end // every) - -(-begin // every)


_SHOWN = ("versions", "device", "threads", "numerics_class", "engine")
