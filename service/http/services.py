"""What the requests of one app share: settings, database, bells, room to wait, metrics, known keys, their times."""

from dataclasses import dataclass
from threading import Thread
from typing import cast

from flask import Flask, current_app

from gradyard.broker.producer import Bells
from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from gradyard.store.files.reading import FileReader
from service.http.access.callers import KnownKeys
from service.http.errors import TooManyCharts, TooManyExports
from service.http.page_sessions.known import KnownSessions
from service.http.request_times import RequestTimes
from service.live.read_once import ReadOnce
from service.live.stream_places import StreamPlaces
from service.live.streams import Streams
from service.live.waiting_room import WaitingRoom
from service.live.watcher import Watcher
from service.places import Places
from service.representation.prometheus import Metrics

CHARTS_AT_ONCE = 4  # of large batches: each takes up to 300 MB for a moment, and a core for seconds


@dataclass(frozen=True)
class Services:
    """Created once for each app and shared by all of its threads."""

    settings: Settings
    database: Database
    bells: Bells
    watcher: Watcher
    waiting_room: WaitingRoom
    metrics: Metrics
    keys: KnownKeys
    sessions: KnownSessions
    request_times: RequestTimes
    export_places: Places
    streams: Streams
    stream_places: StreamPlaces
    read_once: ReadOnce
    chart_places: Places
    files: FileReader

    @classmethod
    def of(cls, settings: Settings) -> "Services":
        """The services for these settings. Nothing is connected yet."""
        database = Database(settings.database)
        watcher = Watcher(database)
        room = WaitingRoom(watcher, settings.max_waiting_requests)
        keys = KnownKeys(database)
        asked = Metrics(database), keys, KnownSessions(database, keys, settings), RequestTimes(database)
        exports = Places(settings.max_exports, "exports", TooManyExports)
        streams = Streams(watcher), StreamPlaces(settings.max_streams), ReadOnce()
        charts = Places(CHARTS_AT_ONCE, "charts", TooManyCharts)
        files = FileReader.of(settings, database)
        return cls(settings, database, Bells(settings), watcher, room, *asked, exports, *streams, charts, files)

    def start_for(self, app: Flask) -> None:
        """Make these the services of an app, and begin what they do beside its requests."""
        app.extensions["gradyard"] = self
        Thread(target=self.bells.warm, name="warm the bells", daemon=True).start()
        self.request_times.start()

    def close(self) -> None:
        """Close every connection."""
        self.streams.close()
        self.watcher.close()
        self.request_times.close()
        self.bells.close()
        self.database.close()


def current_services() -> Services:
    """The services of the app that answers the current request."""
    return cast(Services, current_app.extensions["gradyard"])
