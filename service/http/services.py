"""What the requests of one app share: settings, database, bells, room to wait, metrics, known keys."""

from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app

from gradyard.broker.producer import Bells
from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from service.http.callers import KnownKeys
from service.http.long_poll import WaitingRoom
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

    @classmethod
    def of(cls, settings: Settings) -> "Services":
        """The services for these settings. Nothing is connected yet."""
        database = Database(settings.database)
        room = WaitingRoom(database, settings.max_waiting_requests)
        return cls(settings, database, Bells(settings), room, Metrics(database), KnownKeys(database))

    def give_to(self, app: Flask) -> None:
        """Make these the services of an app."""
        app.extensions["gradyard"] = self

    def close(self) -> None:
        """Close every connection."""
        self.bells.close()
        self.database.close()


def current_services() -> Services:
    """The services of the app that answers the current request."""
    return cast(Services, current_app.extensions["gradyard"])
