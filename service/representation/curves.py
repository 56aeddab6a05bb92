"""Curves and arrays in the forms in which they are answered: JSON of few points, CSV, NPY."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import orjson
from flask import Response, request
from werkzeug.exceptions import NotAcceptable

from gradyard.jobs.curves import Curve
from gradyard.jobs.errors import FieldProblem
from gradyard.shapes.base import Answer
from service.http.errors import ParametersInvalid
from service.http.json_response import json_response
from service.http.openapi import REF
from service.http.query_parameters.curves import USUAL_POINTS

JSON, NPY, CSV = "application/json", "application/x-npy", "text/csv"
CSV_TYPE = f"{CSV}; charset=utf-8; header=present"
CSV_LINES_AT_ONCE = 10_000


def form_of(*forms: str, what: str) -> str:
    """The form of these that the request accepts best. NotAcceptable, with what the forms are of, where it is none."""
    form = request.accept_mimetypes.best_match(forms) if request.accept_mimetypes else forms[0]
    if form is None:
        raise NotAcceptable(f"{what} as {', '.join(forms[:-1])} or {forms[-1]}")
    return form


def curve_response(
    form: str, curve: Curve, points: int | None, heading: str, shown: Callable[[Curve], Answer]
) -> Response:
    """A curve in a form: `shown` makes it JSON of at most `points` values, `heading` is the first line of CSV.

    ParametersInvalid where `points` are asked of NPY: it has no steps, so all of its values must be there.
    """
    if form == JSON:
        return json_response(shown(curve.points(points or USUAL_POINTS)))
    if form == CSV:
        lines = csv_lines(curve if points is None else curve.points(points))
        return Response(_after(heading, lines), content_type=CSV_TYPE)
    if points is not None:
        message = f"is not of {NPY}, which has every value; leave it out, or ask for a range by from and to"
        raise ParametersInvalid([FieldProblem("/points", message)])
    response = npy(curve.values)
    if len(curve.steps):
        response.headers["First-Step"], response.headers["Last-Step"] = str(curve.steps[0]), str(curve.steps[-1])
    return response


def npy(array: np.ndarray) -> Response:
    """An array as a response in NPY format."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return Response(file.getvalue(), content_type=NPY)


def csv_lines(curve: Curve, before: bytes = b"") -> Iterator[bytes]:
    """A line for each value: what stands before it, its step, and the value."""
    for start in range(0, len(curve.values), CSV_LINES_AT_ONCE):
        block = curve.part(slice(start, start + CSV_LINES_AT_ONCE))
        steps = block.steps if isinstance(block.steps, range) else block.steps.tolist()
        # orjson writes the shortest digits that read back as the same number of the array's own dtype
        digits = orjson.dumps(np.ascontiguousarray(block.values), option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",")
        yield b"".join(b"%b%d,%b\n" % (before, step, text) for step, text in zip(steps, digits, strict=True))


def _after(heading: str, lines: Iterator[bytes]) -> Iterator[bytes]:
    yield f"{heading}\n".encode()
    yield from lines


# In the OpenAPI document
_AS_NPY: dict[str, Any] = {NPY: {"schema": {"type": "string", "format": "binary"}}}
_AS_CSV: dict[str, Any] = {CSV: {"schema": {"type": "string"}}}


def _described(what: str, model: str, *others: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {JSON: {"schema": {"$ref": REF.format(model=model)}}}
    for other in others:
        content |= other
    return {"description": what, "content": content}


ARRAY = {"description": "the array", "content": _AS_NPY}
EVERY_LOSS, EVERY_METRIC = (_described("the curve", model, _AS_CSV, _AS_NPY) for model in ("Losses", "MetricCurve"))
LOSSES_OF_MANY, METRIC_OF_MANY = (
    _described("the curves", model, _AS_CSV) for model in ("LossesOfJobs", "MetricOfJobs")
)
UNCHANGED = {"description": "the client has the answer of that ETag already"}
