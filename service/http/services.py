"""What the requests of one app share: settings, database, bells, room to wait, metrics, known keys, their times."""

from dataclasses import dataclass
from threading import Thread
from typing import cast

from flask import Flask, current_app

from gradyard.broker.producer import Bells
from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from service.http.callers import KnownKeys
from service.http.long_poll import WaitingRoom
from service.http.request_times import RequestTimes
from service.representation.prometheus import Metrics


@dataclass(frozen=True)
class Services:
    """Created once for each app and shared by all of its threads."""

    settings: Settings
    database: Database
    bells: Bells
    waiting_room: WaitingRoom
    metrics: Metrics
    keys: KnownKeys
    request_times: RequestTimes

    @classmethod
    def of(cls, settings: Settings) -> "Services":
        """The services for these settings. Nothing is connected yet."""
        database = Database(settings.database)
        room = WaitingRoom(database, settings.max_waiting_requests)
        return cls(
            settings, database, Bells(settings), room, Metrics(database), KnownKeys(database), RequestTimes(database)
        )

    def start_for(self, app: Flask) -> None:
        """Make these the services of an app, and begin what they do beside its requests."""
        app.extensions["gradyard"] = self
        Thread(target=self.bells.warm, name="warm the bells", daemon=True).start()
        Thread(target=self.request_times.keep_writing, name="write request times", daemon=True).start()

    def close(self) -> None:
        """Close every connection."""
        self.request_times.close()
        self.bells.close()
        self.database.close()


def current_services() -> Services:
    """The services of the app that answers the current request."""
    return cast(Services, current_app.extensions["gradyard"])
