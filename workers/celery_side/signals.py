"""Connects the signals of a Celery worker: before its fork, in its child, at its shutdown."""

from typing import Any

from celery import signals

from gradyard.jobs.errors import SettingsInvalid
from gradyard.processes.private_memory import keep_memory_private
from workers.celery_side import celery_child
from workers.celery_side.app import settings
from workers.celery_side.main_process import ONE_CHILD, MainProcess, refuse

main_process = MainProcess(settings)


@signals.celeryd_init.connect
def begins(**_: Any) -> None:
    """The main process begins. What it forks is private as well; a runner, which it starts by exec, holds no secret."""
    keep_memory_private()


@signals.celeryd_after_setup.connect
def after_setup(sender: Any, instance: Any, **_: Any) -> None:
    """Take the queues that `-Q` names, and refuse options that would make more than one slot of this worker."""
    if instance.concurrency != 1 or instance.autoscale or "prefork" not in instance.pool_cls.__module__:
        refuse(ONE_CHILD)
    try:
        main_process.consumes(instance.app.amqp.queues.consume_from)
    except SettingsInvalid as error:
        refuse(error)


@signals.worker_init.connect
def before_fork(**_: Any) -> None:
    """The child is forked after this."""
    main_process.prepare_fork()


@signals.worker_shutting_down.connect
def shutting_down(**_: Any) -> None:
    """The main process got SIGTERM."""
    main_process.stop_child()


@signals.worker_process_init.connect
def child_begins(**_: Any) -> None:
    """The child is forked."""
    try:
        main_process.begin_child()
    except SettingsInvalid as error:
        refuse(error)


@signals.worker_process_shutdown.connect
def child_ends(**_: Any) -> None:
    """The child ends its lease now: without that its jobs would wait until it expires."""
    celery_child.end()
