"""What one request says to the database."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import event


@contextmanager
def statements(client: FlaskClient, place: int = -1, happens: Callable[[], object] = int) -> Iterator[list[str]]:
    """The statements of this thread, which answers the test's requests; the watcher is one for all.

    happens: what happens before the one at that place, counted from 0.
    """
    said, mine = list[str](), threading.get_ident()

    def note(*call: Any) -> None:
        if threading.get_ident() == mine:
            said.append(call[2])
            if len(said) == place + 1:
                happens()

    engine = client.application.extensions["gradyard"].database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(engine, "before_cursor_execute", note)
