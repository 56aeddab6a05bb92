"""The supervisor's book of one pack: which members are still in it, and what each did since its last record."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gradyard.jobs.curves import Summary
from gradyard.jobs.stages.registry import stage_named
from gradyard.store.lifecycle import Claim, ClaimedJob, Outcome, Progress
from workers.protocol.checkpoints import MOST_BYTES, fingerprint, freeze
from workers.protocol.segment import Stretch
from workers.protocol.wire import Frame

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

    def take(self, row: int, stretch: Stretch) -> None:
        """Its row of a stretch; from the first loss that is not finite on, nothing counts."""
        losses, start_step = stretch.losses[row], stretch.start_step
        bad = np.flatnonzero(~np.isfinite(losses))
        if len(bad):
            self.diverged_at = start_step + int(bad[0])
            losses = losses[: bad[0]]
        self.pending.append(losses)
        self.every, counted = stretch.every, stretch.measured_before(start_step + len(losses))
        for name, values in stretch.metrics.items():
            self.metrics.setdefault(name, []).append(values[row][:counted])
        self.summary.take(losses, start_step)
        self.summary.train_seconds += stretch.seconds
        self.summary.setup_seconds += stretch.setup_seconds


class Pack:
    """A claimed pack in training. `members` holds those not yet moved on, by their index in the claim."""

    def __init__(self, claim: Claim, facts: dict[str, Any]) -> None:
        self.claim, self.facts = claim, facts
        self.width = len(claim.members)
        self.of_one_project = len({job.project_id for job in claim.members}) == 1
        self.step, self.engine = claim.start_step, claim.engine
        books = (Member(index, job, self.step, Summary(**job.summary)) for index, job in enumerate(claim.members))
        self.members = {member.index: member for member in books}
        self._numerics_version = stage_named(claim.stage).numerics_version

    def train_frame(self, states: list[dict[str, np.ndarray]], segment_seconds: float, record_seconds: float) -> Frame:
        """What the runner needs to begin; `states` of the members are stacked along the member axis."""
        stage = stage_named(self.claim.stage)
        # What was begun with an engine goes on with it; only a first attempt may still be done by another.
        fallback = stage.trainer if self.engine != "eager" and self.claim.start_step == 0 else None
        fields = {
            "trainer": stage.trainer_of(self.engine), "otherwise": fallback, "steps": self.claim.steps,
            "members": [job.spec | job.resolved for job in self.claim.members], "start_step": self.claim.start_step,
            "segment_seconds": segment_seconds, "record_seconds": record_seconds,
        }  # fmt: skip
        arrays = {name: np.stack([state[name] for state in states]) for name in (states[0] if states else {})}
        return Frame("train", fields, arrays)

    def take(self, stretch: Stretch) -> None:
        """Enter the losses of a stretch; rows of members that have moved on are passed over."""
        for index, row in stretch.rows.items():
            if member := self.members.get(index):
                member.take(row, stretch)
        self.step = stretch.start_step + stretch.losses.shape[1]

    def members_to_record(self, stretch: Stretch) -> list[Member]:
        """The members whose record this stretch completes: it carries their state, or their curve ended.

        A state that is too large to be kept completes none before the end: losses without the state after them would
        be there twice, once the job was begun anew.
        """
        whole = stretch.whole and (stretch.results is not None or stretch.state_bytes <= MOST_STATE_BYTES)
        ended_or_whole = (m for m in self.members.values() if m.diverged_at is not None or whole)
        return [m for m in ended_or_whole if m.diverged_at is not None or m.index in stretch.rows]

    def in_order(self) -> list[Member]:
        """The members that are in it, in the order in which every transaction locks their rows."""
        return sorted(self.members.values(), key=lambda member: member.job.id)

    def progress(self, member: Member, stretch: Stretch) -> Progress:
        """What is new of a member since its last record, with the state that the stretch carries."""
        losses = np.concatenate(member.pending) if member.pending else np.empty(0)
        blob, sha256 = self._checkpoint(member, stretch)
        summary = replace(member.summary, records=member.summary.records + 1)
        made_by = self.fingerprint_of(member.job)
        job, metrics = member.job, {name: np.concatenate(parts) for name, parts in member.metrics.items()}
        return Progress(
            job.id, job.attempt, member.recorded_to, losses, summary, blob, sha256, made_by,
            metrics, member.every,
        )  # fmt: skip

    def mark_recorded(self, member: Member, progress: Progress) -> None:
        """The record is committed: what comes next starts after it."""
        member.recorded_to, member.pending, member.metrics = progress.steps_done, [], {}
        member.summary.records += 1

    def outcome(self, member: Member, stretch: Stretch) -> Outcome:
        """What the member found, from the last stretch."""
        environment, result = self.facts | {"engine": self.engine}, stretch.result_of(member.index)
        shown = {key: environment[key] for key in _SHOWN}
        return Outcome(result["coefficients"], result["formula"], shown, stretch.arrays_of(member.index))

    def fingerprint_of(self, job: ClaimedJob) -> str:
        """What a checkpoint of this job must have been made by."""
        return fingerprint(job.spec_sha256, self._numerics_version, self.engine, self.facts)

    @staticmethod
    def _checkpoint(member: Member, stretch: Stretch) -> tuple[bytes | None, str]:
        state = None if member.diverged_at is not None else stretch.state_of(member.index)
        blob, sha256 = freeze(state) if state is not None else (None, "")
        return (blob, sha256) if blob is not None and len(blob) <= MOST_BYTES else (None, "")


_SHOWN = ("versions", "device", "device_uuid", "threads", "numerics_class", "engine")
