"""The promises of every trainer, as one class of tests."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from gradyard.jobs.settings import Settings
from gradyard.jobs.stages.registry import REFUSED, STAGES
from gradyard.jobs.submission.parse import parse_job
from gradyard.testing.packs import (
    Member,
    assert_alone_equals_packed,
    assert_others_may_leave,
    assert_resumes_bitwise,
    assert_same_bits,
    load_trainer,
    measured,
    rows,
    train,
)
from workers.runner.checked_outputs import checked_final_metrics
from workers.runner.loop import segments
from workers.runner.segment_message import artifacts_of, metrics_of, results_of
from workers.trainers.contract import Trainer


class StageConformance:
    """Tests of one stage. A subclass names the stage, and a job of it that trains in well under a second.

    stage: the name. spec: the job's parameters. own_numbers: parameters in which the members of a pack may differ; each
    member gets a different fraction of each. diverges: parameters with which the job must diverge; None where no job
    can. learns_in: steps after which the loss must be lower. widths: the packs that are compared with a job alone.
    """

    stage: ClassVar[str]
    spec: ClassVar[Mapping[str, Any]] = {}
    own_numbers: ClassVar[Mapping[str, float]] = {}
    diverges: ClassVar[Mapping[str, Any] | None] = {"learning_rate": 1e30}
    learns_in: ClassVar[int] = 200
    widths: ClassVar[Sequence[int]] = (2, 7, 64)

    @classmethod
    def setup_class(cls) -> None:
        """Compute with one thread, as a runner does: with two, bits depend on the width of a pack."""
        import torch

        torch.set_num_threads(1)

    def member(self, **changes: Any) -> Member:
        """A job as a trainer gets it, parsed as the service parses it."""
        parsed = parse_job(json.dumps({"stage": self.stage, **self.spec, **changes}).encode(), Settings())
        return parsed.spec.as_json() | parsed.resolved

    def pack(self, width: int, **changes: Any) -> list[Member]:
        """Jobs that differ in their seeds, and in `own_numbers`."""
        return [
            self.member(seed=index, **changes, **{name: x * (1 - index / 256) for name, x in self.own_numbers.items()})
            for index in range(width)
        ]

    def make(self, members: Sequence[Member]) -> Trainer:
        """The stage's trainer for these members, on the CPU."""
        return load_trainer(STAGES[self.stage].trainer, members)

    def test_the_service_offers_it(self) -> None:
        assert self.stage not in {each.name: each.reason for each in REFUSED}, REFUSED
        assert self.stage in STAGES

    def test_a_job_and_its_pack_have_one_key(self) -> None:
        bodies = [{"stage": self.stage, **self.spec, "seed": seed, **self.own_numbers} for seed in range(2)]
        bodies[1] |= {name: value / 2 for name, value in self.own_numbers.items()}
        keys = {parse_job(json.dumps(each).encode(), Settings()).spec.pack_key(1) for each in bodies}
        assert len(keys) == 1 or not STAGES[self.stage].packable

    def test_it_learns(self) -> None:
        losses = train(self.make([self.member()]), self.learns_in)[0]
        tenth = max(1, self.learns_in // 10)
        assert losses[-tenth:].mean() < losses[:tenth].mean()

    def test_the_same_seed_gives_the_same_curve(self) -> None:
        curves = [train(self.make([self.member(seed=5)]), 30) for _ in range(2)]
        assert curves[0].tobytes() == curves[1].tobytes()

    def test_losses_have_the_dtype_of_the_job(self) -> None:
        trainer = self.make([self.member()])
        assert train(trainer, 2).dtype == self.member()["dtype"]
        assert np.asarray(trainer.step(2)).shape == (1,)

    def test_alone_equals_packed(self) -> None:
        for width in self.widths if STAGES[self.stage].packable else ():
            assert_alone_equals_packed(self.make, self.pack(width), sorted({0, width // 2, width - 1}), 20)

    def test_a_resumed_job_equals_an_uninterrupted_one(self) -> None:
        for width in (1, 3) if STAGES[self.stage].packable else (1,):
            for stop in (0, 1, 13):
                assert_resumes_bitwise(self.make, self.pack(width), stop, 30)

    def test_those_who_stay_when_others_leave_keep_their_bits(self) -> None:
        for staying in ([1, 4], [2]) if STAGES[self.stage].packable else ():
            assert_others_may_leave(self.make, self.pack(5), staying, 17, 40)

    def test_a_state_is_a_copy_that_may_be_read_only(self) -> None:
        source = self.make([self.member()])
        train(source, 3)
        state = source.state()
        before = {name: array.copy() for name, array in state.items()}
        for array in state.values():
            array.flags.writeable = False
        train(source, 6, begin=3)
        assert_same_bits(state, before)
        target = self.make([self.member()])
        target.load_state(state)
        train(target, 6, begin=3)
        assert_same_bits(state, before)
        assert_same_bits(target.state(), source.state())

    def test_a_wrong_state_is_refused(self) -> None:
        wide = {name: np.repeat(array, 2, axis=0) for name, array in self.make([self.member()]).state().items()}
        for wrong, expected in ((wide, ValueError), ({}, KeyError)):
            try:
                self.make([self.member()]).load_state(wrong)
            except expected:
                continue
            raise AssertionError(f"load_state took {'a state of another width' if wrong else 'nothing'}")

    def test_divergence_is_seen_and_changes_no_other_member(self) -> None:
        if self.diverges is None:
            return
        members = self.pack(3 if STAGES[self.stage].packable else 1)
        victim = len(members) // 2
        members[victim] = self.member(seed=victim, **self.diverges)
        losses = train(self.make(members), 60)
        assert not np.isfinite(losses[victim]).all()
        for index in {0, len(members) - 1} - {victim}:
            assert train(self.make([members[index]]), 60).tobytes() == losses[[index]].tobytes()

    def test_what_it_measures_is_the_same_alone_packed_and_resumed(self) -> None:
        members = self.pack(3 if STAGES[self.stage].packable else 1)
        together = measured(self.make(members), 10)
        alone = measured(self.make(members[:1]), 10)
        assert_same_bits(alone, rows(together, [0]))
        first, second = self.make(members[:1]), self.make(members[:1])
        before = measured(first, 4)
        second.load_state(first.state())
        after = measured(second, 10, begin=4)
        for name, values in before.items():  # without its last one, which an interrupted training does not measure
            assert np.column_stack([values[:, :-1], after[name]]).tobytes() == alone[name].tobytes(), name

    def test_what_it_finds_can_be_stored(self) -> None:
        trainer = self.make([self.member()])
        done = list(segments(trainer, steps=10))
        metrics_of(trainer, done, 1)
        checked_final_metrics(done[-1].final_metrics, 1)
        artifacts_of(trainer, 1)
        json.dumps(results_of(trainer, [self.member()]), allow_nan=False)
