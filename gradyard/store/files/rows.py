"""The rows of files: stored, found, listed, deleted. The content of the larger ones is kept elsewhere by its name."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Select, delete, exists, func, insert, not_, select, update

from gradyard.jobs.errors import FieldProblem, IllegalMove, NotFound, SpecInvalid
from gradyard.jobs.files.facts import FileFacts
from gradyard.store.dialects import insert_or_ignore, now
from gradyard.store.files.claims import give_up
from gradyard.store.tables import File, FileContent, JobFile

IN_SQL_BYTES = 2**20
"""The most bytes of a file whose content is in the database."""


@dataclass(frozen=True)
class NewFile:
    """A file that was received. size: in bytes. content: of a small one; place: the name of another's content."""

    sha256: str
    size: int
    facts: FileFacts
    name: str | None
    content: bytes | None = None
    place: str | None = None

    def columns(self) -> dict[str, Any]:
        """The row of `files` that it becomes, without its project, sender and time."""
        facts = self.facts
        return {
            "sha256": self.sha256, "bytes": self.size, "format": facts.format, "rows": facts.rows, "name": self.name,
            "columns": [asdict(column) for column in facts.columns], "preview": [list(row) for row in facts.preview],
            "place": self.place,
        }  # fmt: skip


def store_file(connection: Connection, project_id: int, new: NewFile, *, actor: str) -> bool:
    """Store a file; False where the project has it already, and then only the time of its upload is new."""
    mine = {"project_id": project_id, "uploaded_at": now(), "uploaded_by": actor[:200]}
    stored = insert_or_ignore(connection, File).values(new.columns() | mine).returning(File.sha256)
    is_new = connection.execute(stored).all()
    if not is_new:
        touch_file(connection, project_id, new.sha256)
        return False
    if new.content is not None:
        row = {"project_id": project_id, "sha256": new.sha256, "content": new.content}
        connection.execute(insert(FileContent).values(row))
    return True


def touch_file(connection: Connection, project_id: int, sha256: str, place: str | None = None) -> str | None:
    """Note that a file was sent in again just now, and where its content is by now. Returns where it was before.

    Raises NotFound where the project has none of that id. place: None where it stays where it was.
    """
    before = connection.execute(select(File.place).where(*_one(project_id, sha256)).with_for_update()).first()
    if before is None:
        raise NotFound(f"there is no file {sha256}")
    moved = {} if place is None else {"place": place}
    connection.execute(update(File).where(*_one(project_id, sha256)).values(uploaded_at=now(), **moved))
    was: str | None = before.place
    return was


def file_of(connection: Connection, project_id: int, sha256: str) -> Row[Any]:
    """The file of the project, without what others do with it. Raises NotFound where there is none."""
    row: Row[Any] | None = connection.execute(select(*File.__table__.columns).where(*_one(project_id, sha256))).first()
    if row is None:
        raise NotFound(f"there is no file {sha256}")
    return row


def file_by_id(connection: Connection, project_id: int, sha256: str) -> Row[Any]:
    """The file of the project, with `jobs`: how many are trained on it. Raises NotFound where there is none."""
    row: Row[Any] | None = connection.execute(FILES.where(*_one(project_id, sha256))).first()
    if row is None:
        raise NotFound(f"there is no file {sha256}")
    return row


def content_in_sql(connection: Connection, project_id: int, sha256: str) -> bytes | None:
    """The content of a small file; None where there is none of that id."""
    mine = FileContent.project_id == project_id, FileContent.sha256 == sha256
    content: bytes | None = connection.execute(select(FileContent.content).where(*mine)).scalar()
    return content


def delete_file(
    connection: Connection, project_id: int, sha256: str, *, older_than_seconds: float | None = None
) -> str | None:
    """Delete a file that no job is trained on. Returns the place of its content: `delete_content`, after the commit.

    older_than_seconds: only if it was not uploaded again since then; else it counts as not there.

    Raises NotFound where there is none, IllegalMove where jobs need it.
    """
    # A submission locks it as well, so that the count below is that of all jobs.
    old = [] if older_than_seconds is None else [File.uploaded_at < now() - older_than_seconds]
    mine = select(File.place).where(*_one(project_id, sha256), *old)
    found = connection.execute(mine.with_for_update()).first()
    if found is None:
        raise NotFound(f"there is no file {sha256}")
    jobs = connection.execute(select(_jobs_of).where(*_one(project_id, sha256))).scalar_one()
    if jobs:
        trained = "1 job is" if jobs == 1 else f"{jobs:,} jobs are"
        raise IllegalMove(f'{trained} trained on the file; delete them first: where dataset.file == "{sha256}"')
    connection.execute(delete(File).where(*_one(project_id, sha256)))
    place: str | None = found.place
    if place is not None:
        give_up(connection, place)
    return place


def unused_files(connection: Connection, older_than_seconds: float, limit: int) -> list[Row[Any]]:
    """Files that were sent in before that and that no job is trained on: project_id and sha256 of at most so many."""
    unused = File.uploaded_at < now() - older_than_seconds, not_(_is_needed)
    query = select(File.project_id, File.sha256).where(*unused).order_by(File.uploaded_at).limit(limit)
    return list(connection.execute(query))


def bytes_of_files(connection: Connection, project_id: int) -> tuple[int, int]:
    """How many files the project has, and their bytes together."""
    sums = select(func.count(), func.coalesce(func.sum(File.bytes), 0)).where(File.project_id == project_id)
    count, size = connection.execute(sums).one()
    return int(count), int(size)


def store_uses(connection: Connection, jobs: Collection[Mapping[str, Any]]) -> None:
    """Store on which files these new jobs are trained. jobs: their rows of `jobs`, by column.

    Raises SpecInvalid where a file was deleted since the job was read.
    """
    uses = [_use(job) for job in jobs]
    needed = sorted({(use["project_id"], use["sha256"]) for use in uses})
    for project_id, sha256 in needed:  # in order, so that two submissions never wait for one another
        kept = select(File.sha256).where(*_one(project_id, sha256)).with_for_update(read=True, key_share=True)
        if connection.execute(kept).first() is None:
            raise SpecInvalid([FieldProblem("/dataset/file", f"{sha256} was deleted in the meantime; upload it again")])
    connection.execute(insert(JobFile), uses)


def _use(job: Mapping[str, Any]) -> dict[str, Any]:
    job_id: UUID = job["id"]
    return {"job_id": job_id, "project_id": job["project_id"], "sha256": job["spec"]["dataset"]["file"]}


def _one(project_id: int, sha256: str) -> tuple[Any, ...]:
    return File.project_id == project_id, File.sha256 == sha256


_of_this_file = JobFile.project_id == File.project_id, JobFile.sha256 == File.sha256
_is_needed = exists().where(*_of_this_file)
_jobs_of = select(func.count()).select_from(JobFile).where(*_of_this_file).scalar_subquery()
FILES: Select[Any] = select(*File.__table__.columns, _jobs_of.label("jobs"))
