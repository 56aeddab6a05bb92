"""The Celery settings that the producer of bells and the workers share, and the name of the task."""

from typing import Any

import kombu

from gradyard.jobs.fleet import WORKER_QUEUES, Queue
from gradyard.jobs.settings import Settings

TASK = "gradyard.train"


def celery_config(settings: Settings) -> dict[str, Any]:
    """The configuration of every Celery app of ours, in the API and in the workers."""
    seconds = settings.bell_timeout_seconds
    return {
        "broker_url": settings.broker,
        "broker_transport_options": {"socket_timeout": seconds, "socket_connect_timeout": seconds},
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "accept_content": ["json"],
        "task_serializer": "json",
        "task_ignore_result": True,
        "task_publish_retry": False,
        "task_default_queue": Queue.CPU.value,
        "task_create_missing_queues": False,
        "task_queues": [kombu.Queue(queue.value) for queue in WORKER_QUEUES],
    }
