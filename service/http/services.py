"""What the requests of one app have at hand: settings, database, bells, and room to wait."""

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
    """Made once for each app; every request of every thread shares them."""

    settings: Settings
    database: Database
    bells: Bells
    waiting_room: WaitingRoom
    metrics: Metrics
    keys: KnownKeys

    @classmethod
    def of(cls, settings: Settings) -> "Services":
        """Those that the settings describe; nothing is connected yet."""
        database = Database(settings.database)
        room = WaitingRoom(database, settings.max_waiting_requests)
        return cls(settings, database, Bells(settings), room, Metrics(database), KnownKeys(database))

    def give_to(self, app: Flask) -> None:
        """Let the requests of this app find them."""
        app.extensions["gradyard"] = self

    def close(self) -> None:
        """Close every connection."""
        self.bells.close()
        self.database.close()


def current_services() -> Services:
    """Those of the app that answers the present request."""
    return cast(Services, current_app.extensions["gradyard"])
