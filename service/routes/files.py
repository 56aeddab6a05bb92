"""Files that jobs are trained on: sent in, listed, shown, fetched as they were sent, deleted."""

from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any, BinaryIO
from urllib.parse import quote

from flask import Response
from sqlalchemy import Row

from gradyard import shapes
from gradyard.jobs.audit import Action
from gradyard.jobs.errors import ContentUnavailable, NotFound
from gradyard.store.files.claims import delete_content
from gradyard.store.files.listed import files_newest_first
from gradyard.store.files.rows import delete_file as delete_row
from service import audit
from service.files.uploads import store_upload
from service.http import parameters
from service.http.access.callers import current_caller
from service.http.ids import find_file
from service.http.json_response import json_response
from service.http.kept_answers import unchanged, with_tag
from service.http.long_bodies import CHUNK_BYTES, long_body
from service.http.openapi import FILE_CONTENT, UPLOAD, problems, routes
from service.http.proxy import location_of
from service.http.query_parameters.files import FilePath, UploadQuery
from service.http.query_parameters.pages import refusing_wrong_cursors
from service.http.requests import refuse_encoded
from service.http.services import current_services
from service.representation.curves import UNCHANGED
from service.representation.files import file_answer
from service.streamed import streamed

api = routes("files", "/v1/files")


@api.post(
    "", responses={"200": shapes.File, "201": shapes.File, **problems(400, 413, 415, 422)}, openapi_extensions=UPLOAD
)  # fmt: skip
def upload_file(query: UploadQuery) -> Response:
    """Send a file in: its bytes are the body. CSV, NPY, NPZ and Parquet are known by their content.

    Its id is the SHA-256 of its content, so the same bytes sent again are the same file: 200 then. A file that no job
    is trained on is deleted some days after its upload.
    """
    refuse_encoded()
    with long_body(current_services().settings.max_file_bytes, "send the bytes of the file as they are") as body:
        try:
            sha256, is_new = store_upload(body, query.name)
        except NotFound:  # it was deleted between two steps, so it is stored anew
            body.seek(0)
            sha256, is_new = store_upload(body, query.name)
    location = location_of(f"/v1/files/{sha256}")
    return json_response(file_answer(_file(sha256)), 201 if is_new else 200, Location=location)


@api.get("", responses={"200": shapes.FileList, **problems(422)})
def list_files(query: parameters.PageQuery) -> Response:
    """List the files of the project, the last uploaded first."""
    return json_response(files_listed(query))


def files_listed(query: parameters.PageQuery) -> shapes.FileList:
    """The files that a query asks for, for the route and the page."""
    project_id = current_caller().project_id
    with current_services().database.read() as connection, refusing_wrong_cursors():
        rows, cursor = files_newest_first(connection, project_id, limit=query.limit, cursor=query.cursor)
    return shapes.FileList.of(files=[file_answer(row) for row in rows], next_cursor=cursor)


@api.get("/<file_id>", responses={"200": shapes.File, **problems(404, 409, 422)})
def show_file(path: FilePath, query: parameters.ProjectQuery) -> Response:
    """Show a file: its form, its columns, its first rows, and how many jobs are trained on it."""
    return json_response(file_answer(_file(path.file_id)))


@api.get(
    "/<file_id>/content",
    responses={"200": FILE_CONTENT, "304": UNCHANGED, **problems(404, 409, 422, 505)},
)  # fmt: skip
def fetch_file(path: FilePath, query: parameters.ProjectQuery) -> Response:
    """Fetch the bytes of a file as they were sent."""
    file = _file(path.file_id)
    if known := unchanged(file.sha256):
        return known
    files = current_services().files
    response = streamed(lambda: _parts(files.content(file)), "application/octet-stream")
    response.content_length = file.bytes
    name = file.name or file.sha256
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return with_tag(response, file.sha256)


@api.delete("/<file_id>", responses={"204": None, **problems(404, 409, 422)})
def delete_file(path: FilePath, query: parameters.ProjectQuery) -> Response:
    """Delete a file that no job is trained on."""
    services = current_services()
    with services.database.begin() as connection:
        file = find_file(connection, path.file_id)
        place = delete_row(connection, current_caller().project_id, file.sha256)
        audit.note(connection, Action.FILE_DELETED, file.sha256, file.name)
    if place is not None and services.files.contents is not None:
        with suppress(ContentUnavailable):  # the file is deleted; maintenance deletes its content
            delete_content(services.database, services.files.contents, place)
    return Response(status=204)


def _file(text: str) -> Row[Any]:
    with current_services().database.read() as connection:
        return find_file(connection, text)


def _parts(content: BinaryIO) -> Iterator[bytes]:
    with closing(content):
        while chunk := content.read(CHUNK_BYTES):
            yield chunk
