"""The Celery app: `celery -A workers worker -Q gpu -c 1`. Its main process loads no torch and opens no database."""

import warnings

from celery import Celery
from celery.platforms import SecurityWarning

from gradyard.broker.celery_settings import celery_config
from gradyard.jobs import settings as environment
from gradyard.jobs.visible_logs import show_control_characters
from workers.celery_side.guarded_transport import listen_through_it
from workers.celery_side.reaper import Reaper
from workers.celery_side.remote_control import answer_questions_alone

settings = environment.load()

# Celery warns root of pickled messages; this app takes JSON alone.
warnings.filterwarnings("ignore", category=SecurityWarning)

show_control_characters()
listen_through_it()
answer_questions_alone()

app = Celery("gradyard")
app.conf.update(celery_config(settings))
app.conf.update(
    # A listener waits for messages, so its timeouts are longer than those of a ring.
    broker_transport_options={"socket_timeout": 10, "socket_connect_timeout": 5, "socket_keepalive": True},
    # A Redis that takes no writes (a replica, its memory full) is waited for like one that is away.
    broker_channel_error_retry=True,
    worker_consumer="workers.celery_side.patient_consumer:PatientConsumer",
    include=["workers.celery_side.tasks", "workers.celery_side.signals"],
    worker_concurrency=1,
    worker_pool="prefork",
    worker_disable_prefetch=True,
    worker_prefetch_multiplier=1,
    task_acks_late=False,  # the row is the truth; the message is only a bell
    worker_hijack_root_logger=False,
    worker_send_task_events=False,  # Flower switches them on while it is open
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_shutdown_timeout=None,
)
app.steps["worker"].add(Reaper)
