"""What happens at the turns of a Celery worker's life: before its fork, in its child, at its shutdown."""

import os
import signal
import sys
from typing import Any, NoReturn

from celery import signals

from workers.celery_side import celery_child
from workers.celery_side.app import settings
from workers.celery_side.stop_pipe import Stopping
from workers.pool.slot_locks import SlotLocks
from workers.pool.slots import slots_of_host
from workers.runner.process_control import die_with_parent

stopping: Stopping | None = None
consumed: frozenset[str] = frozenset({settings.device})
main_pid = os.getpid()
slot_locks: SlotLocks | None = None  # held as long as this process lives


@signals.celeryd_after_setup.connect
def remember_queues(sender: Any, instance: Any, **_: Any) -> None:
    """Which queues `-Q` named: a worker claims for the class of device whose bell it hears."""
    global consumed
    if instance.concurrency != 1 or instance.autoscale or "prefork" not in instance.pool_cls.__module__:
        refuse_other_pools()
    consumed = frozenset(instance.app.amqp.queues.consume_from)
    if "gpu" in consumed and settings.device_uuid is None:
        take_a_gpu()


def refuse_other_pools() -> NoReturn:
    """Two children would be one slot to the database, and a thread cannot be killed."""
    why = "gradyard: a slot is one process of its own: -c 1, -P prefork, and no --autoscale"
    print(why, file=sys.stderr, flush=True)
    os._exit(2)  # Celery would take an exception for a signal handler's own trouble


def take_a_gpu() -> None:
    """A worker that was started without a pool takes the first GPU that nobody holds, and sees no other."""
    global settings, slot_locks
    slot_locks = SlotLocks(settings)
    free = next((slot for slot in slots_of_host(0, "all", ["gpu"], settings) if slot_locks.take(slot) is None), None)
    if free is None:
        print("gradyard: this host has no GPU, or other workers hold them all", file=sys.stderr)
        sys.exit(2)
    settings = settings.model_copy(update=free.settings())
    print(f"{free.name}: {settings.device_name} {settings.device_uuid}", flush=True)


@signals.worker_init.connect
def make_pipe(**_: Any) -> None:
    """Before the fork: the way by which the child will hear of a shutdown, also while Redis is away."""
    global stopping, main_pid
    stopping, main_pid = Stopping(), os.getpid()


@signals.worker_shutting_down.connect
def tell_the_child(**_: Any) -> None:
    """The main process got SIGTERM."""
    if stopping is not None:
        stopping.ask()


@signals.worker_process_init.connect
def begin_in_child(**_: Any) -> None:
    """The child is the supervisor. Service managers signal the whole group; here only the main process decides."""
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, signal.SIG_IGN)
    if os.getpid() == main_pid:
        refuse_other_pools()
    die_with_parent(main_pid)
    celery_child.begin(settings, consumed, stopping)


@signals.worker_process_shutdown.connect
def end_in_child(**_: Any) -> None:
    """The child leaves: its lease ends now, not in fifteen seconds."""
    celery_child.end()
