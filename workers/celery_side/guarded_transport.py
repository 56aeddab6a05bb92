"""Celery's Redis transport, whose listener is ended by no message.

Kombu decodes what it takes from Redis without a guard, and an error there ends Celery's main process: a list with one
such message would keep a worker down.
"""

import logging
from collections.abc import Callable
from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis, virtual

from gradyard.jobs.fleet import WORKER_QUEUES
from workers.celery_side.heard import heard

log = logging.getLogger(__name__)


class QoS(virtual.QoS):
    """The messages that were taken and not acknowledged, in the memory of this process alone.

    It puts them back when it stops. A process that is killed takes them along, and maintenance rings again; out of
    Redis they would come back after an hour, where a stranger may have written them meanwhile.
    """

    def restore_unacked(self) -> list[Any]:
        """Put them back. Of one that Redis does not take nothing is kept: it was a hint."""
        self._flush()
        for message in self._delivered.values():
            try:
                self.channel._restore(message)
            except Exception as error:  # Redis is away, or takes no writes
                log.warning("a bell that was taken was not put back: %s", type(error).__name__)
        self._delivered.clear()
        return []


class Channel(redis.Channel):
    """A channel that reads queues as bells, and survives what is published to the workers' mailboxes."""

    ack_emulation = False  # by lists in Redis

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.QoS = QoS  # type: ignore[assignment]  # kombu assigns its own of this kind, where nothing is in Redis

    def close(self) -> None:
        """Put back what was taken, while there is a connection for it, and close."""
        if not self.closed and self._qos is not None:
            self._qos.restore_unacked_once()
        super().close()

    def _create_client(self, asynchronous: bool = False) -> Any:
        client = super()._create_client(asynchronous)
        client.parse_response = _reading_bells(client.parse_response)
        return client

    def _receive_one(self, c: Any) -> Any:
        """A message of the remote control. One that cannot be read is dropped."""
        try:
            return super()._receive_one(c)
        except (*self.connection_errors, *self.connection.channel_errors, Empty):
            raise
        except Exception as error:  # of any kind: decoding meets everything that a stranger may have published
            log.warning("a message of the remote control was dropped: %s", type(error).__name__)
            raise Empty from None

    def _deliver_fanout_message(self, message: Any, exchange: str) -> Any:
        message["headers"].pop("clock", None)  # a sender's clock could be a number too large to be written again
        return super()._deliver_fanout_message(message, exchange)


class Transport(redis.Transport):
    """The Redis transport with such channels."""

    Channel = Channel


def listen_through_it() -> None:
    """Have every connection of this process to a `redis:` or `rediss:` URL use this transport."""
    TRANSPORT_ALIASES.update(dict.fromkeys(("redis", "rediss"), f"{__name__}:{Transport.__name__}"))


def _reading_bells(parse_response: Callable[..., Any]) -> Callable[..., Any]:
    def parse(connection: Any, command_name: str, **options: Any) -> Any:
        response = parse_response(connection, command_name, **options)
        if command_name != "BRPOP" or not response:
            return response
        key, item = response
        queue = key.decode().split(redis.Channel.sep, 1)[0]
        return (key, heard(item, queue)) if queue in WORKER_QUEUES else response  # else an answer to `celery inspect`

    return parse
