"""What many streams tell at the same time is read from the database by one of them."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future

from service.live.messages import Message

MOST_BYTES = 8 * 2**20  # of messages that are kept for streams that come later
AT_ONCE = 8  # readings at a time: each has a connection of the database

Messages = Sequence[Message]


class ReadOnce:
    """Shares a reading, or its error, among all who ask meanwhile; keeps the last messages for those who come later.

    Messages are known by what they follow and how far they go. One that tells an end is not kept: it shows the whole
    of its thing, of which a name or a tag may change at any time. Nor is it kept that there is nothing to tell.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, Messages] = OrderedDict()
        self._bytes = 0
        self._changing = threading.Lock()
        self._under_way: dict[Hashable, Future[Messages]] = {}
        self._reading = threading.Semaphore(AT_ONCE)

    def messages(self, key: Hashable, read: Callable[[], Messages]) -> Messages:
        """The messages of that key: those that are kept, else those that `read` returns, for all who ask meanwhile."""
        with self._changing:
            if (kept := self._kept.get(key)) is not None:
                return kept
            reading = self._under_way.get(key)
            if is_first := reading is None:
                reading = self._under_way[key] = Future()
        if is_first:
            self._read(key, read, reading)
        return reading.result()

    def _read(self, key: Hashable, read: Callable[[], Messages], reading: Future[Messages]) -> None:
        try:
            with self._reading:
                messages = read()
        except BaseException as error:
            self._end(key)
            reading.set_exception(error)
        else:
            self._end(key, messages)
            reading.set_result(messages)

    def _end(self, key: Hashable, messages: Messages | None = None) -> None:
        with self._changing:
            del self._under_way[key]
            if not messages or _tells_an_end(messages):
                return
            self._kept[key] = messages
            self._bytes += _size(messages)
            while self._bytes > MOST_BYTES:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= _size(oldest)


def _tells_an_end(messages: Messages) -> bool:
    return any(each.position is not None and each.position.ended for each in messages)


def _size(messages: Messages) -> int:
    return 200 + sum(len(each.data) for each in messages)
