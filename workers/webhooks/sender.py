"""Messages are made of the outbox and sent: one thread that has the database, and a thread for each try under way.

So a receiver that is slow holds up neither the others nor the rounds of maintenance.
"""

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable

import structlog

from gradyard.jobs.errors import GradyardError
from gradyard.jobs.fleet import FleetCounter
from gradyard.jobs.settings import Settings
from gradyard.store import fleet
from gradyard.store.database import Database
from gradyard.store.webhooks import deliveries
from gradyard.store.webhooks.claims import TRIES_AT_ONCE, Try, any_due, claim_due
from gradyard.store.webhooks.deliveries import Answered
from gradyard.store.webhooks.messages import has_notices, make_messages
from workers.webhooks.connection import trusted
from workers.webhooks.post import Post

log = structlog.get_logger()

HUNG_SECONDS = 60.0  # without a round; a database that does not answer takes half of that
STOP_SECONDS = 3.0  # for tries that are under way; those that take longer are made again elsewhere

Answers = list[tuple[Try, Answered]]


class WebhookSender:
    """`start` lets it work in a thread of its own; `round` is one of its rounds, for tests."""

    def __init__(self, settings: Settings, counted_by: str, post: Callable[[Try], Answered] | None = None) -> None:
        self._database = Database(settings.database, pool_size=1)
        self._post = post or Post(settings.webhook_reach, trusted())
        self._pause_seconds, self._counted_by = settings.maintenance_seconds, counted_by
        self._answers: queue.SimpleQueue[tuple[Try, Answered]] = queue.SimpleQueue()
        self._unnoted: Answers = []
        self._under_way = 0
        self._thread = threading.Thread(target=self._work, name="webhooks", daemon=True)
        self._stopping = threading.Event()
        self._seen_at = time.monotonic()

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def hangs(self) -> bool:
        """Whether no round has ended for so long that this process had better be started anew."""
        return time.monotonic() - self._seen_at > HUNG_SECONDS + self._pause_seconds

    def stop(self) -> None:
        """Begin no more tries, and note the answers of those that end soon."""
        self._stopping.set()
        self._thread.join(STOP_SECONDS + 1.0)
        self._database.close()

    def _work(self) -> None:
        until = None
        while until is None or (self._under_way and time.monotonic() < until):
            if self._stopping.is_set() and until is None:
                until = time.monotonic() + STOP_SECONDS
            try:
                busy = self.round()
            except GradyardError as error:  # away, full, or not upgraded yet; the next round may succeed
                log.warning("webhooks wait", error=str(error))
                busy = False
            except Exception:
                log.exception("a round of webhooks failed")
                busy = False
            self._seen_at = time.monotonic()
            self._await_answer(0.0 if busy else self._pause_seconds)

    def round(self) -> bool:
        """Note the answers that came, make messages of the outbox, and begin the tries that are due.

        Returns whether there is more to do at once.
        """
        self._note(self._take_answers())
        if self._stopping.is_set():
            return False
        free = TRIES_AT_ONCE - self._under_way
        with self._database.read() as connection:
            noticed, due = has_notices(connection), free > 0 and any_due(connection)
        taken = 0
        if noticed:
            with self._database.begin() as connection:
                taken = make_messages(connection)
        tries = list[Try]()
        if due or (taken and free > 0):
            with self._database.begin() as connection:
                tries = claim_due(connection, free)
        for each in tries:
            self._begin(each)
        return bool(taken or tries)

    def _begin(self, message: Try) -> None:
        self._under_way += 1
        threading.Thread(target=self._try, args=(message,), name="a try of a webhook", daemon=True).start()

    def _try(self, message: Try) -> None:
        self._answers.put((message, self._post(message)))

    def _await_answer(self, seconds: float) -> None:
        """Wait until a try has ended, at most for so long."""
        try:
            self._take(*self._answers.get(timeout=max(seconds, 0.001)))
        except queue.Empty:
            return

    def _take_answers(self) -> Answers:
        while not self._answers.empty():
            self._take(*self._answers.get())
        return self._unnoted

    def _take(self, message: Try, answered: Answered) -> None:
        self._unnoted.append((message, answered))
        self._under_way -= 1

    def _note(self, answers: Answers) -> None:
        if not answers:
            return
        happened = Counter[str](
            FleetCounter.WEBHOOKS_DELIVERED if answered.accepted else FleetCounter.WEBHOOK_TRIES_FAILED
            for _, answered in answers
        )
        with self._database.begin() as connection:
            for message, answered in answers:
                deliveries.note_answer(connection, message, answered)
            fleet.count(connection, self._counted_by, happened)
        self._unnoted = []
