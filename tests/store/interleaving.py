"""Two transactions of PostgreSQL, one statement at a time, in an order that the test decides."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event

from gradyard.jobs.errors import DatabaseUnavailable
from gradyard.store.database import Database
from tests.store.kept_rows import KeptRows

Act = Callable[[Connection], Any]
BLOCKED = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'"
LOOK_SECONDS = 0.002


class Actor:
    """An actor with its own connection, which waits before each statement (and COMMIT) until it may go on."""

    def __init__(self, url: str) -> None:
        self._database = Database(url, pool_size=1)
        self._turn, self._stands = threading.Semaphore(0), threading.Event()
        self._gated = False
        self.pid = 0
        engine = self._database.engine
        event.listen(engine, "before_cursor_execute", lambda *_: self._gate())
        event.listen(engine, "commit", lambda _: self._gate())
        with self._database.read() as connection:
            self.pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()

    def begin(self, act: Act) -> None:
        """Go up to the first statement of `act`."""
        self.statements, self.over, self.answer = 0, False, None
        self.error: BaseException | None = None
        self._gated = True
        self._stands.clear()
        self._thread = threading.Thread(target=self._run, args=(act,))
        self._thread.start()
        self._stands.wait()

    def step(self, is_blocked: Callable[[int], bool]) -> None:
        """Do the next statement; return when it is done, or when it waits for a lock of the other's."""
        if self._stands.is_set() and not self.over:
            self._stands.clear()
            self._turn.release()
        while not self._stands.wait(LOOK_SECONDS):
            if is_blocked(self.pid):
                return

    def close(self) -> None:
        """Close the connection."""
        self._database.close()

    def _run(self, act: Act) -> None:
        try:
            with self._database.begin() as connection:
                self.answer = act(connection)
        except BaseException as error:
            self.error = error
        self._gated, self.over = False, True
        self._stands.set()

    def _gate(self) -> None:
        if self._gated:
            self.statements += 1
            self._stands.set()
            self._turn.acquire()


class Stage:
    """Two actors on one database; a schedule such as `abbab` names the actor of each statement."""

    def __init__(self, database: Database) -> None:
        self.database = database
        with database.engine.connect() as connection:  # a deadlock is to be found at once
            name = connection.exec_driver_sql("SELECT current_database()").scalar_one()
            connection.exec_driver_sql(f"ALTER DATABASE {name} SET deadlock_timeout = '10ms'")
            connection.commit()
        self._looker = database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        self.actors = {"a": Actor(database.url), "b": Actor(database.url)}

    def play(self, a: Act, b: Act, schedule: str) -> tuple[Any, Any]:
        """The answer of each. An actor that a deadlock ended tries again at the end, as all our callers do."""
        acts = {"a": a, "b": b}
        for name, actor in self.actors.items():
            actor.begin(acts[name])
        for name in schedule:
            self.actors[name].step(self._is_blocked)
        give_up_at = time.monotonic() + 20
        while not all(actor.over for actor in self.actors.values()):
            assert time.monotonic() < give_up_at, "neither goes on"
            for actor in self.actors.values():
                actor.step(self._is_blocked)
        for name, actor in self.actors.items():
            if isinstance(actor.error, DatabaseUnavailable):
                self.alone(name, acts[name])
        return tuple(self._outcome(actor) for actor in self.actors.values())

    def statements(self) -> tuple[int, int]:
        """How many statements each actor had in the last play; COMMIT is one."""
        return self.actors["a"].statements, self.actors["b"].statements

    def alone(self, name: str, act: Act) -> int:
        """Let one play by itself; how many statements it had."""
        actor = self.actors[name]
        actor.begin(act)
        while not actor.over:
            actor.step(self._is_blocked)
        return actor.statements

    def close(self) -> None:
        """Close all connections."""
        for actor in self.actors.values():
            actor.close()
        self._looker.close()

    def _is_blocked(self, pid: int) -> bool:
        return bool(self._looker.exec_driver_sql(BLOCKED, (pid,)).scalar_one())

    @staticmethod
    def _outcome(actor: Actor) -> Any:
        return actor.answer if actor.error is None else type(actor.error).__name__


@contextmanager
def stage_on(database: Database) -> Iterator[Stage]:
    """A stage, put away afterwards."""
    stage = Stage(database)
    try:
        yield stage
    finally:
        stage.close()


def played(
    stage: Stage, a: Act, b: Act, schedules: Callable[[int, int], list[str]], before: Callable[[], object] = int
) -> Iterator[tuple[str, Any, Any]]:
    """Play each schedule of two acts, always from what the database holds now: the schedule, and the answers of both.

    before: what is done before each play.
    """
    kept = KeptRows(stage.database)
    for schedule in schedules(stage.alone("a", a), stage.alone("b", b)):
        kept.put_back()
        before()
        yield schedule, *stage.play(a, b, schedule)


def interrupted_once(a: int, b: int) -> list[str]:
    """Every schedule in which all of the one comes between two statements of the other."""
    inside_a = ["a" * i + "b" * b + "a" * (a - i) for i in range(1, a)]
    return sorted({*inside_a, *("b" * j + "a" * a + "b" * (b - j) for j in range(1, b))})


def interrupted_anywhere(a: int, b: int) -> list[str]:
    """Every schedule that brings a statement of the one together with a statement of the other: i, j, rest, rest."""
    pairs = [(i, j) for i in range(a + 1) for j in range(b + 1)]
    a_first = ["a" * i + "b" * j + "a" * (a - i) + "b" * (b - j) for i, j in pairs]
    return sorted({*a_first, *("b" * j + "a" * i + "b" * (b - j) + "a" * (a - i) for i, j in pairs)})


def merges(*sequences: str) -> list[str]:
    """Every order of all letters that keeps each sequence's own: all there are."""
    if not any(sequences):
        return [""]
    found = []
    for place, each in enumerate(sequences):
        if each:
            rest = (*sequences[:place], each[1:], *sequences[place + 1 :])
            found += [each[0] + more for more in merges(*rest)]
    return found
