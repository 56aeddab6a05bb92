"""What a stream of events tells, message by message."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import orjson
from flask.testing import FlaskClient

STREAM = {"Accept": "text/event-stream"}


class Told(NamedTuple):
    """One message. id: the last id of the stream as of it."""

    name: str
    id: str
    data: Any


def messages(blocks: Iterable[bytes], last_id: str = "") -> Iterator[Told]:
    """The messages in the bytes of a stream, without its comments."""
    text = b""
    for block in blocks:
        text += block
        while b"\n\n" in text:
            one, _, text = text.partition(b"\n\n")
            fields = dict(line.split(b": ", 1) for line in one.split(b"\n") if b": " in line)
            last_id = fields.get(b"id", last_id.encode()).decode()
            if b"data" in fields:
                yield Told(fields[b"event"].decode(), last_id, orjson.loads(fields[b"data"]))


@contextmanager
def stream(client: FlaskClient, path: str, last_id: str = "", **headers: str) -> Iterator[Iterator[Told]]:
    """The messages of the stream at that path, as they come; from one id on, if given."""
    asked = STREAM | headers | ({"Last-Event-ID": last_id} if last_id else {})
    response = client.get(path, headers=asked, buffered=False)
    assert response.status_code == 200, response.get_data()
    assert response.content_type == "text/event-stream; charset=utf-8"
    try:
        yield messages(response.iter_encoded(), last_id)
    finally:
        response.close()


def next_of(told: Iterator[Told], name: str) -> Told:
    """The next message of that name; those before it are skipped."""
    return next(each for each in told if each.name == name)


def until_one_succeeded(told: Iterator[Told]) -> Told:
    """The first counts of a batch with a job that succeeded; a look may have come between its claim and its end."""
    return next(each for each in told if each.name == "counts" and each.data["counts"]["succeeded"] == 1)


def all_of(client: FlaskClient, path: str, last_id: str = "", **headers: str) -> list[Told]:
    """Every message of a stream that ends by itself."""
    with stream(client, path, last_id, **headers) as told:
        return list(told)


def curve_in(told: Iterable[Told]) -> list[float | None]:
    """The losses that these messages tell, put together as a reader does."""
    losses: list[float | None] = []
    for each in told:
        if each.name == "curve":
            assert each.data["from_step"] <= len(losses), "a hole"
            losses[each.data["from_step"] :] = each.data["losses"]
    return losses
