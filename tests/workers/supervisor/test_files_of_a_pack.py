"""Jobs that are trained on files: the same bits as on inline points, and what happens where a file cannot be read."""

import hashlib
import threading
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import orjson
import pytest
from sqlalchemy import insert

from gradyard.jobs.errors import ContentMissing, ContentUnavailable, FormatUnsupported
from gradyard.jobs.files.read import facts_of
from gradyard.jobs.settings import Settings
from gradyard.jobs.specs.file_data import XAndY
from gradyard.jobs.submission.parse import parse_job
from gradyard.store import lifecycle, queries
from gradyard.store.database import Database
from gradyard.store.files.of_project import ProjectFiles
from gradyard.store.files.reading import FileReader
from gradyard.store.files.rows import NewFile, store_file
from gradyard.store.tables import Project
from tests.actors import claimed, submitted
from workers.supervisor.attempt import Attempt
from workers.supervisor.pack import Pack
from workers.supervisor.worker_context import WorkerContext

pytestmark = [pytest.mark.slow, pytest.mark.together]  # they share a runner

X, Y = np.linspace(-1.0, 1.0, 50), np.cos(np.linspace(0.0, 3.0, 50))
PLACE = "1/of-a-test"


def content_of() -> bytes:
    """An array of the columns 0 and 1, which are X and Y."""
    file = BytesIO()
    np.save(file, np.stack([X, Y], axis=1))
    return file.getvalue()


def stored(database: Database, place: str | None = None) -> tuple[str, bytes]:
    """A file of the columns 0 and 1, which are X and Y. Returns its id and its bytes."""
    content = content_of()
    sha256 = hashlib.sha256(content).hexdigest()
    facts = facts_of(BytesIO(content))
    new = NewFile(sha256, len(content), facts, "a.npy", content=None if place else content, place=place)
    with database.begin() as connection:
        store_file(connection, 1, new, actor="test")
    return sha256, content


def submitted_on(
    database: Database, settings: Settings, sha256: str, *, project_id: int = 1, **spec: object
) -> UUID:  # fmt: skip
    dataset = {"kind": "file", "file": sha256, "x": "0", "y": "1"}
    body = orjson.dumps({"stage": "tensor", "steps": 20, "learning_rate": 1e-3, "dataset": dataset, **spec})
    files = ProjectFiles(KnowsTheNumbers(database, None), project_id)
    parsed = parse_job(body, settings, lambda: files)
    with database.begin() as connection:
        return lifecycle.submit(connection, parsed, project_id=project_id, actor="test", max_queued=100).job_id


class KnowsTheNumbers(FileReader):
    """What the API has read before: so the content need not be there."""

    def x_and_y(self, file: Any, x: str, y: str) -> XAndY:
        return XAndY(X, Y)


def with_place(context: WorkerContext, folder: Path) -> WorkerContext:
    settings = context.settings.model_copy(update={"files_url": str(folder)})
    return replace(context, files=FileReader.of(settings, context.database))


def trained(context: WorkerContext) -> None:
    claim = claimed(context.database, context.worker)
    Attempt(context, Pack(claim, context.runner.hello)).run()
    with context.database.begin() as connection:
        lifecycle.release(connection, claim.id, actor=context.actor)


def shown(database: Database, job: UUID, project: int = 1) -> tuple[str, str | None, list[str | None]]:
    """State, reason and kinds of events."""
    with database.read() as connection:
        row = queries.job_by_id(connection, project, job)
        events, _ = queries.events_of(connection, project, job, limit=50)
    return row.state, row.reason, [event.kind for event in events]


def losses(database: Database, job: UUID) -> bytes:
    with database.read() as connection:
        return b"".join(queries.loss_blocks(connection, job))


def test_a_job_on_a_file_has_the_bits_of_one_on_the_same_points(
    context: WorkerContext, database: Database, settings: Settings
) -> None:
    sha256, _ = stored(database)
    on_file = submitted_on(database, settings, sha256)
    trained(replace(context, files=FileReader.of(settings, database)))
    points = {"kind": "inline", "x": X.tolist(), "y": Y.tolist()}
    inline = submitted(database, settings, steps=20, learning_rate=1e-3, dataset=points)
    trained(context)
    assert shown(database, on_file)[0] == "succeeded"
    assert losses(database, on_file) == losses(database, inline)
    assert len(losses(database, on_file)) == 20 * 4


def test_a_job_whose_file_cannot_be_read_now_is_handed_back_and_tried_again(
    context: WorkerContext, database: Database, settings: Settings, tmp_path: Path
) -> None:
    sha256, content = stored(database, PLACE)
    job = submitted_on(database, settings, sha256)
    away = with_place(context, tmp_path / "away")
    trained(away)
    state, _, kinds = shown(database, job)
    assert (state, kinds[-1]) == ("queued", "file_unreadable")
    with database.begin() as connection:  # its pause has ended
        connection.exec_driver_sql("UPDATE jobs SET not_before = NULL")
    back = with_place(context, tmp_path / "here")
    assert back.files is not None
    assert back.files.contents is not None
    back.files.contents.prepare()
    back.files.contents.put(PLACE, BytesIO(content))
    trained(back)
    assert shown(database, job)[0] == "succeeded"


def test_a_worker_that_was_not_told_of_the_place_leaves_the_job_to_others(
    context: WorkerContext, database: Database, settings: Settings
) -> None:
    sha256, _ = stored(database, PLACE)
    job = submitted_on(database, settings, sha256)
    trained(replace(context, files=FileReader.of(settings, database)))
    assert shown(database, job)[2][-1] == "file_unreadable"


def test_a_job_whose_file_hangs_is_cancelled_at_once(
    context: WorkerContext, database: Database, settings: Settings
) -> None:
    sha256, _ = stored(database)
    job = submitted_on(database, settings, sha256)
    hangs = threading.Event()
    readers: list[threading.Thread] = []

    class Hangs(FileReader):
        def x_and_y(self, file: Any, x: str, y: str) -> XAndY:
            readers.append(threading.current_thread())
            with database.begin() as connection:
                lifecycle.request_cancel(connection, job, actor="test")
            context.heartbeat._cancelled = {job}  # as the heartbeat finds it a moment later
            hangs.wait()
            raise ContentUnavailable("the share came back")

    trained(replace(context, files=Hangs(database, None)))
    assert shown(database, job)[0] == "cancelled"
    hangs.set()
    readers[0].join()
    context.heartbeat._cancelled = set()


def test_a_format_that_this_host_cannot_read_is_left_to_others(
    context: WorkerContext, database: Database, settings: Settings
) -> None:
    sha256, _ = stored(database)
    job = submitted_on(database, settings, sha256)

    class LacksPyarrow(FileReader):
        def x_and_y(self, file: Any, x: str, y: str) -> XAndY:
            raise FormatUnsupported("this service reads Parquet only with the extra")

    trained(replace(context, files=LacksPyarrow(database, None)))
    assert (shown(database, job)[0], shown(database, job)[2][-1]) == ("queued", "file_unreadable")


def test_a_project_that_lost_its_file_fails_no_job_of_another(
    context: WorkerContext, database: Database, settings: Settings
) -> None:
    sha256, _ = stored(database)
    with database.begin() as connection:
        other = connection.execute(insert(Project).values(name="other").returning(Project.id)).scalar_one()
        new = NewFile(sha256, 9, facts_of(BytesIO(content_of())), None, place="2/lost")
        store_file(connection, other, new, actor="test")
    theirs = submitted_on(database, settings, sha256, project_id=other)  # the first of the pack
    mine = submitted_on(database, settings, sha256)
    trained(replace(context, files=FileReader(database, Nothing())))
    assert shown(database, theirs, other)[:2] == ("failed", "invalid_data")
    assert shown(database, mine)[0] == "queued"
    with database.begin() as connection:  # its pause has ended
        connection.exec_driver_sql("UPDATE jobs SET not_before = NULL")
    trained(replace(context, files=FileReader(database, None)))
    assert shown(database, mine)[0] == "succeeded"


class Nothing:
    """A place that has no content."""

    def open(self, name: str) -> Any:
        raise ContentMissing(name)

    def prepare(self) -> None: ...
    def put(self, name: str, content: Any) -> None: ...
    def delete(self, name: str) -> None: ...


@pytest.mark.parametrize("found", [None, b"something else"], ids=["gone", "another one"])
def test_a_job_whose_file_is_gone_or_another_one_fails_and_says_so(
    context: WorkerContext, database: Database, settings: Settings, tmp_path: Path, found: bytes | None
) -> None:
    sha256, _ = stored(database, PLACE)
    jobs = [submitted_on(database, settings, sha256, seed=seed) for seed in range(2)]
    here = with_place(context, tmp_path / "here")
    assert here.files is not None
    assert here.files.contents is not None
    here.files.contents.prepare()
    if found is not None:
        here.files.contents.put(PLACE, BytesIO(found))
    trained(here)
    assert [shown(database, job)[:2] for job in jobs] == [("failed", "invalid_data")] * 2
    with database.read() as connection:
        message = queries.job_by_id(connection, 1, jobs[0]).message
    assert sha256 in message
    assert "upload the same file once more" in message
