"""The Celery settings that the producer of bells and the workers share, and the names of the task and its queues."""

from typing import Any

from kombu import Queue

from gradyard.jobs.settings import Settings

TASK = "gradyard.train"
QUEUES = ("cpu", "gpu")


def celery_config(settings: Settings) -> dict[str, Any]:
    """The Celery configuration that those who ring and those who listen share."""
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
        "task_default_queue": "cpu",
        "task_create_missing_queues": False,
        "task_queues": [Queue(name) for name in QUEUES],
    }
