"""The table of jobs. Its address is its state: what is asked for, in which order, which columns, which page."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import request
from pydantic import ValidationError

from gradyard.jobs.errors import SpecInvalid
from gradyard.jobs.identifiers import submitted_at_of
from gradyard.jobs.questions.named import fields_named
from gradyard.jobs.questions.order import order
from gradyard.jobs.stages.registry import STAGES
from gradyard.jobs.states import State
from gradyard.store.dialects import as_datetime
from service.dashboard.charts.losses import sparks
from service.dashboard.html import link
from service.http.ids import find_batch
from service.http.parameter_errors import refuse_parameters
from service.http.parameters import ListQuery
from service.http.services import current_services
from service.job_pages import page_asked, values_shown
from service.representation.jobs import job_answer
from service.representation.wait_reasons import why_each_waits

USUAL_COLUMNS = "loss_min, learning_rate, steps_done, train_seconds"
USUAL_ROWS = 25  # one and a half screens: a longer table is laid out and painted later
OFFERED_ROWS = (USUAL_ROWS, 50, 100, 200)
OFFERED_COLUMNS = (
    "loss_min", "loss_last", "loss_first", "loss_min_step", "learning_rate", "seed", "steps", "steps_done", "points",
    "degree", "optimizer.name", "optimizer.momentum", "attempt", "pack_size", "queue", "setup_seconds",
    "train_seconds", "started_at", "finished_at",
)  # fmt: skip


def jobs() -> tuple[str, dict[str, Any]]:
    """A page of the table. What cannot be read in a question is told beside it, above an empty table."""
    asked = _asked()
    values: dict[str, Any] = {
        "asked": asked, "states": list(State), "stages": list(STAGES), "offered": OFFERED_COLUMNS,
        "usual_columns": USUAL_COLUMNS, "with_change": _address_with(asked), "problems": [], "jobs": [], "columns": [],
        "next_address": None, "looked_to": None, "batch": None, "offered_rows": _offered_rows(asked),
    }  # fmt: skip
    try:
        return "jobs.html", values | _found(asked)
    except SpecInvalid as error:
        return "jobs.html", values | {"problems": error.problems}


def _asked() -> dict[str, Any]:
    """The parameters of the address that are not empty, as a form sends them."""
    several = [each for each in request.args.getlist("tag") if each.strip()]
    one = {name: text.strip() for name, text in request.args.items() if name != "tag" and text.strip()}
    return one | ({"tag": several} if several else {})


def _found(asked: Mapping[str, Any]) -> dict[str, Any]:
    try:
        query = ListQuery.model_validate({"limit": str(USUAL_ROWS), **asked})
    except ValidationError as error:
        refuse_parameters(error)
        raise
    columns = fields_named(query.fields or USUAL_COLUMNS)
    with current_services().database.snapshot() as connection:
        page = page_asked(connection, query)
        batch = find_batch(connection, query.batch) if query.batch else None
        shown = {
            "jobs": [job_answer(row, why) for row, why in
                     zip(page.jobs, why_each_waits(connection, page.jobs), strict=True)],
            "values": {each.id: each.values for each in values_shown(connection, page, columns)},
            "sparks": sparks(connection, page.jobs), "batch": batch,
        }  # fmt: skip
    address = _address_with(asked)
    return shown | {
        "columns": [_heading(name, query.sort, address) for name in columns],
        "next_address": page.next_cursor and address(cursor=page.next_cursor),
        "looked_to": page.looked_to and as_datetime(submitted_at_of(page.looked_to)),
    }


def _offered_rows(asked: Mapping[str, Any]) -> dict[int, str | None]:
    """How many rows a page may have, each with the address of such a table from its first page on; None: as it is."""
    address, now = _address_with(asked), asked.get("limit", str(USUAL_ROWS))
    return {rows: None if str(rows) == now else address(limit=rows != USUAL_ROWS and rows) for rows in OFFERED_ROWS}


def _heading(name: str, sort: str | None, address: Any) -> dict[str, Any]:
    """A column's heading: by which address the table is in its order, where it can be, and in which it is."""
    try:
        order(name)
    except SpecInvalid:
        return {"name": name, "address": None, "sorted": None}
    is_sorted = {name: "ascending", f"-{name}": "descending"}.get(sort or "")
    other = f"-{name}" if is_sorted == "ascending" else name
    return {"name": name, "address": address(sort=other, cursor=None), "sorted": is_sorted}


def _address_with(asked: Mapping[str, Any]) -> Any:
    """A function: the address of this table with some parameters changed, and from its first page on."""
    path = link("jobs").partition("?")[0]

    def address(**changes: Any) -> str:
        named = {name: value for name, value in (dict(asked) | {"cursor": None} | changes).items() if value}
        query = urlencode(named, doseq=True)
        return f"{path}?{query}" if query else path

    return address
