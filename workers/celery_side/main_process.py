"""What Celery's main process decides before it forks its child: queue, device, and how the child learns of a stop."""

import os
import signal
import sys
from collections.abc import Collection

from gradyard.jobs.errors import SettingsInvalid
from gradyard.jobs.fleet import Queue
from gradyard.jobs.settings import Settings
from workers.celery_side import celery_child
from workers.celery_side.stop_pipe import StopPipe
from workers.pool.slot_locks import SlotLocks
from workers.pool.slots import slots_of_host
from workers.runner.process_control import die_with_parent


class MainProcess:
    """The settings of one Celery worker, which its child inherits."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._queue = Queue(settings.device)
        self._pid = os.getpid()
        self._stop_pipe: StopPipe | None = None
        self._slot_locks: SlotLocks | None = None  # held as long as this process lives

    def consumes(self, queues: Collection[str]) -> None:
        """Claim for the class of device whose bells this worker hears. Raises SettingsInvalid where no GPU is free."""
        self._queue = Queue.GPU if Queue.GPU in queues else Queue.CPU
        if self._queue is Queue.GPU and self._settings.device_uuid is None:
            self._take_a_gpu()

    def _take_a_gpu(self) -> None:
        """Take the first free GPU, as no pool has chosen one. The runner sees no other."""
        self._slot_locks = SlotLocks(self._settings)
        gpu_slots = slots_of_host(0, "all", [Queue.GPU], self._settings)
        free = next((slot for slot in gpu_slots if self._slot_locks.take(slot) is None), None)
        if free is None:
            raise SettingsInvalid("this host has no GPU, or other workers hold them all")
        self._settings = self._settings.model_copy(update=free.settings())
        print(f"{free.name}: {self._settings.device_name} {self._settings.device_uuid}", flush=True)

    def prepare_fork(self) -> None:
        """Make the pipe by which the child learns of a stop, also while Redis is away."""
        self._stop_pipe, self._pid = StopPipe(), os.getpid()

    def stop_child(self) -> None:
        """Have the child hand back its jobs and end."""
        if self._stop_pipe is not None:
            self._stop_pipe.request()

    def begin_child(self) -> None:
        """In the child: become the supervisor, and end with the main process. Raises SettingsInvalid without a fork."""
        for signum in (signal.SIGTERM, signal.SIGINT):  # service managers signal the whole group; the main one decides
            signal.signal(signum, signal.SIG_IGN)
        if os.getpid() == self._pid:
            raise SettingsInvalid(ONE_CHILD)
        die_with_parent(self._pid)
        celery_child.begin(self._settings, self._queue, self._stop_pipe)


# Two children would be one slot to the database, and a thread cannot be killed.
ONE_CHILD = "a slot is one process of its own: -c 1, -P prefork, and no --autoscale"


def refuse(reason: object) -> None:
    """End this process with a message. Celery would take an exception for an error of a signal handler, and go on."""
    print(f"gradyard: {reason}", file=sys.stderr, flush=True)
    os._exit(2)
