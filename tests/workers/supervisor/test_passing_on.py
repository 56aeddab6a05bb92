"""A slot that finds nothing to train asks whether another one would: then it passes the bell on."""

from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from tests.actors import claimed, submitted, worker_of
from workers.supervisor.supervisor import Supervisor
from workers.supervisor.worker_context import WorkerContext


def another_could(database: Database, settings: Settings) -> bool:
    nothing: object = None
    worker = worker_of(database)
    context = WorkerContext(settings, worker, nothing, lambda: False, database, nothing)  # type: ignore[arg-type]
    return Supervisor(context).another_slot_could_claim()


def test_while_nothing_waits_none_could(database: Database, settings: Settings) -> None:
    assert not another_could(database, settings)


def test_an_idle_slot_of_the_queue_could_take_what_waits(database: Database, settings: Settings) -> None:
    submitted(database, settings)
    assert another_could(database, settings)
    claimed(database, worker_of(database, "cpu-1"))
    assert not another_could(database, settings)
