"""Random lives of jobs that also wait for each other; a process may die between any two steps of the end of a wait."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from gradyard.jobs.errors import SpecInvalid
from gradyard.store import lifecycle
from tests.actors import submitted
from tests.store.dependencies.pipelines import follow
from tests.store.lifecycle_machine import STEPS, Lives
from tests.store.lifecycle_model import FINISHED, QUEUED, ModelJob, verdict

ACTS = ("submit", "submit", "train", "cancel", "look", "decide_and_die", "move_and_die")
CONDITIONS = st.sampled_from(["succeeded", "ended"])


class LivesThatWait(Lives):
    """Lives of jobs of which some are submitted after others."""

    released = 0

    @rule(data=st.data(), count=st.integers(1, 3), steps=st.sampled_from(STEPS), priority=st.sampled_from([0, 1]))
    def submit_after(self, data: st.DataObject, count: int, steps: int, priority: int) -> None:
        """A job that depends on others: on jobs that wait, run, have ended, or wait for others themselves."""
        after = {job_id: data.draw(CONDITIONS) for job_id, job in (self._any_job(data) for _ in range(count)) if job}
        depends_on = [{"id": str(each), "condition": condition} for each, condition in after.items()]
        about: dict[str, Any] = {"steps": steps, "priority": priority, "depends_on": depends_on}
        try:
            job_id = submitted(self.database, self.settings, **about)
        except SpecInvalid:
            assert verdict(after, self.jobs) == "failed"
            return
        assert verdict(after, self.jobs) != "failed"
        self.jobs[job_id] = job = ModelJob(self.next_number(), steps, priority)
        if verdict(after, self.jobs) == "waiting":
            job.begin_to_wait(after)
            for each in after:
                self.jobs[each].followed = True

    @rule(data=st.data(), acts=st.lists(st.sampled_from(ACTS), min_size=2, max_size=6))
    def pipeline(self, data: st.DataObject, acts: list[str]) -> None:
        """Several of these one after another: Hypothesis leaves some of the rules out of each life."""
        for act in acts:
            if act == "submit":
                self.submit_after(data, data.draw(st.integers(1, 2)), STEPS[0], 0)
            elif act == "train":
                self.train("cpu-0", data.draw(st.booleans()))
            elif act == "cancel":
                self.cancel_what_is_waited_for(data)
            else:
                getattr(self, act)()

    @rule(target=Lives.members, slot=st.sampled_from(["cpu-0", "cpu-1"]), looks=st.booleans())
    def train(self, slot: str, looks: bool) -> Any:
        """A worker claims a pack, all of which succeeds."""
        members = self.claim(slot)
        for member in members.values:
            self.tell(member, "succeed", 1)
        if members.values:
            self.release(members.values[0])
        if looks:
            self.look()
        return members

    @rule(data=st.data())
    def cancel_what_is_waited_for(self, data: st.DataObject) -> None:
        """Of a job that waits for others, cancel those that may be cancelled in the queue; then look."""
        blocked = sorted((job.number, job) for job in self.jobs.values() if job.blocked)
        if not blocked:
            return
        _, job = data.draw(st.sampled_from(blocked))
        for each in [each for each in job.after if each in self.jobs and self.jobs[each].state == QUEUED]:
            self.request_cancel(each)
        self.look()

    @rule()
    def look(self) -> None:
        """A worker or maintenance ends all waits that are over, and those that end by that."""
        may_run, before = sum(follow(self.database).values()), self.released
        while self._expect_decisions() | self._expect_moves():
            pass
        assert may_run == self.released - before

    @rule()
    def decide_and_die(self) -> None:
        """A process says which waits are over, and is killed before it moves their jobs."""
        with self.database.begin() as connection:
            said = lifecycle.decide_some(connection)
        assert said == self._expect_decisions()

    @rule()
    def move_and_die(self) -> None:
        """A process moves the jobs of waits that another one found over, and is killed before it looks further."""
        with self.database.begin() as connection:
            lifecycle.move_some(connection, actor="maintenance")
        self._expect_moves()

    def _expect_decisions(self) -> bool:
        ended = {job_id for job_id, job in self.jobs.items() if job.followed and job.state in FINISHED}
        for job in self.jobs.values():
            if job.wait == "waiting" and ended & job.after.keys():
                job.wait = verdict(job.after, self.jobs)
        for job_id in ended:
            self.jobs[job_id].followed = False
        return bool(ended)

    def _expect_moves(self) -> bool:
        decided = [job for job in self.jobs.values() if job.wait in ("met", "failed")]
        for job in sorted(decided, key=lambda job: job.number):
            self.released += job.wait == "met"
            job.end_wait(self.next_number())
        return bool(decided)
