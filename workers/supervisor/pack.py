"""The supervisor's account of one pack: its members that still train, and what each did since its last record."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from gradyard.jobs.curves import Summary
from gradyard.jobs.stages.registry import stage_named
from gradyard.store.files.reading import FileReader
from gradyard.store.lifecycle import Claim, ClaimedJob, Outcome, Progress
from workers.protocol.checkpoints import MOST_BYTES, fingerprint, freeze
from workers.protocol.frame import Arrays
from workers.protocol.messages import HelloMessage, SegmentMessage, TrainMessage
from workers.supervisor.data.dataset_values import DatasetValues
from workers.supervisor.data.pack_data import PackData

MOST_STATE_BYTES = MOST_BYTES - 2**16  # the header of its frame is stored too


@dataclass
class Member:
    """One job of the pack: its losses since the last record, and the figures of its curve so far."""

    index: int
    job: ClaimedJob
    recorded_to: int
    summary: Summary
    pending: list[np.ndarray] = field(default_factory=list)
    metrics: dict[str, list[np.ndarray]] = field(default_factory=dict)  # since the last record, by name
    every: int = 1  # steps between two values of a metric
    diverged_at: int | None = None

    def take(self, row: int, segment: SegmentMessage) -> None:
        """Add its row of a segment, up to the first loss that is not finite."""
        losses, start_step = segment.losses[row], segment.start_step
        bad = np.flatnonzero(~np.isfinite(losses))
        if len(bad):
            self.diverged_at = start_step + int(bad[0])
            losses = losses[: bad[0]]
        self.pending.append(losses)
        self.every, measured = segment.every, segment.measured_before(start_step + len(losses))
        for name, values in segment.metrics.items():
            self.metrics.setdefault(name, []).append(values[row][:measured])
        self.summary.take(losses, start_step)
        self.summary.train_seconds += segment.seconds
        self.summary.setup_seconds += segment.setup_seconds

    def mark_recorded(self, progress: Progress) -> None:
        """Begin a new record after this one, which is committed."""
        self.recorded_to, self.pending, self.metrics = progress.steps_done, [], {}
        self.summary.records += 1


class Pack:
    """A claimed pack. `members` holds those that have not left it, by their index in the claim.

    `runner` is the hello of the runner that trains it; None where none could be started.
    """

    def __init__(self, claim: Claim, runner: HelloMessage | None = None) -> None:
        self.claim = claim
        self._runner = runner
        self.width = len(claim.members)
        self.of_one_project = len({job.project_id for job in claim.members}) == 1
        self.step, self.engine = claim.start_step, claim.engine
        members = (Member(index, job, self.step, Summary(**job.summary)) for index, job in enumerate(claim.members))
        self.members = {member.index: member for member in members}
        self._numerics_version = stage_named(claim.stage).numerics_version

    def train_message(
        self, states: list[Arrays], segment_seconds: float, record_seconds: float, files: FileReader | None = None
    ) -> TrainMessage:
        """What the runner needs to begin. `states` of the members, empty at step 0, are stacked along a member axis.

        Raises ContentUnavailable where a file that they are trained on cannot be read now, ContentMissing where it is
        gone, and DatabaseUnavailable; of other data it raises nothing.
        """
        stage = stage_named(self.claim.stage)
        fallback = stage.trainer if self.may_fall_back else None
        values = DatasetValues(files, [job.project_id for job in self.claim.members])
        data = PackData([job.spec | job.resolved for job in self.claim.members], values.of)
        return TrainMessage(
            trainer=stage.trainer_of(self.engine), fallback=fallback, members=data.specs,
            steps=self.claim.steps, start_step=self.claim.start_step,
            segment_seconds=segment_seconds, record_seconds=record_seconds,
            state={name: np.stack([state[name] for state in states]) for name in (states[0] if states else {})},
            data=data.sets, data_index=data.index,
        )  # fmt: skip

    @property
    def has_files(self) -> bool:
        """Whether its members are trained on a file: all of them are, or none is."""
        return any((job.spec.get("dataset") or {}).get("kind") == "file" for job in self.claim.members)

    @property
    def may_fall_back(self) -> bool:
        """Whether its runner may still train it eagerly. A pack goes on with the engine that it began with."""
        return self.engine != "eager" and self.claim.start_step == 0

    def train_eagerly(self) -> None:
        """Go on without the compiled engine, which does not work on this machine."""
        self.engine = "eager"

    def take(self, segment: SegmentMessage) -> None:
        """Add the losses of a segment. Rows of members that have left are skipped."""
        for index, row in segment.rows.items():
            if member := self.members.get(index):
                member.take(row, segment)
        self.step = segment.end_step

    def remove(self, members: Iterable[Member]) -> None:
        """These members have left the pack."""
        for member in members:
            del self.members[member.index]

    def members_to_record(self, segment: SegmentMessage) -> list[Member]:
        """The members whose record this segment completes: it carries their state, or they diverged.

        A state that is too large to be stored completes no record before the end: the job would begin anew, and find
        its losses stored already.
        """
        has_state = segment.state is not None
        complete = has_state and (segment.results is not None or segment.state_bytes <= MOST_STATE_BYTES)
        return [
            member for member in self.members.values()
            if member.diverged_at is not None or (complete and member.index in segment.rows)
        ]  # fmt: skip

    def in_order(self) -> list[Member]:
        """The members that have not left, in the order in which every transaction locks their rows."""
        return sorted(self.members.values(), key=lambda member: member.job.id)

    def progress(self, member: Member, segment: SegmentMessage) -> Progress:
        """What is new of a member since its last record, with the state that the segment carries."""
        losses = np.concatenate(member.pending) if member.pending else np.empty(0)
        blob, sha256 = self._checkpoint(member, segment)
        job, metrics = member.job, {name: np.concatenate(parts) for name, parts in member.metrics.items()}
        final = segment.final_metrics_of(member.index) if member.diverged_at is None else {}
        return Progress(
            job.held, member.recorded_to, losses,
            replace(member.summary, records=member.summary.records + 1), blob, sha256, self.fingerprint_of(job),
            metrics, member.every, final,
        )  # fmt: skip

    def outcome(self, member: Member, segment: SegmentMessage) -> Outcome:
        """The result of a member, from the last segment."""
        result, runner = segment.result_of(member.index), self._hello()
        environment = {
            "versions": runner.versions, "device": runner.device, "device_uuid": runner.device_uuid,
            "threads": runner.threads, "numerics_class": runner.numerics_class, "engine": self.engine,
        }  # fmt: skip
        arrays = segment.artifacts_of(member.index)
        return Outcome(result.coefficients, result.formula, environment, arrays, result.scaled_coefficients)

    def fingerprint_of(self, job: ClaimedJob) -> str:
        """The fingerprint of the checkpoints that this pack's runner makes and can resume from."""
        return fingerprint(job.spec_sha256, self._numerics_version, self.engine, self._hello())

    def _hello(self) -> HelloMessage:
        assert self._runner is not None  # without a runner a pack is only handed back
        return self._runner

    @staticmethod
    def _checkpoint(member: Member, segment: SegmentMessage) -> tuple[bytes | None, str]:
        state = None if member.diverged_at is not None else segment.state_of(member.index)
        blob, sha256 = freeze(state) if state is not None else (None, "")
        return (blob, sha256) if blob is not None and len(blob) <= MOST_BYTES else (None, "")
