"""Has Celery's main process wait for a Redis that answers and takes no writes, as it waits for one that is away.

A listener writes as well: it takes messages out of lists. Without this, Celery would connect five times a second and
log each failure with a traceback.
"""

import logging
import time
from typing import Any

from celery.worker.consumer import Consumer
from celery.worker.state import maybe_shutdown

from gradyard.broker.writes import refusal_of

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0


class PatientConsumer(Consumer):  # type: ignore[misc]  # Celery has no types
    """Celery's consumer, which begins to listen once Redis takes writes, and believes no other worker.

    By default workers ask each other what was revoked and which clock to go by, and a stranger could answer.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options | {"without_mingle": True, "without_gossip": True})

    def connection_for_read(self, heartbeat: Any = None) -> Any:
        """A connection to a Redis that takes writes. Raises WorkerShutdown where the worker must stop meanwhile."""
        connection = super().connection_for_read(heartbeat)
        refusal, said = refusal_of(connection.default_channel.client), None
        while refusal is not None:
            if refusal != said:
                log.warning("Redis %s; this worker listens again when it does", refusal)
            said = refusal
            time.sleep(LOOK_SECONDS)
            maybe_shutdown()
            refusal = refusal_of(connection.default_channel.client)
        return connection
