"""Ids in the query of an address."""

from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator

from gradyard.jobs.identifiers import SHORTEST_BEGINNING, ids_beginning_with


def _of_a(kind: str) -> Callable[[str], str]:
    def like_an_id(text: str) -> str:
        if ids_beginning_with(text) is None:
            raise ValueError(f"must be the id of a {kind}, or a beginning of at least {SHORTEST_BEGINNING} digits")
        return text

    return like_an_id


JobId = Annotated[str, AfterValidator(_of_a("job"))]
BatchId = Annotated[str, AfterValidator(_of_a("batch"))]
