"""Requests of the Client for many jobs at once: into a file, as a data frame, or one by one."""

from base64 import b64decode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gradyard.client.base import BaseClient
from gradyard.client.definitions import K, asks, iterates
from gradyard.client.exports.whole_file import written_whole
from gradyard.client.identities import BatchLike, batch_path
from gradyard.jobs.exports import ENDINGS, Curves, Form
from gradyard.shapes import Job

if TYPE_CHECKING:
    import numpy as np

CurvesOf = Literal["none", "long", "list"]
FormOf = Literal["ndjson", "csv", "parquet", "arrow"]


class ExportRequests(BaseClient[K]):
    """Export jobs: those of a batch, those of which something is true, or all."""

    @asks
    async def export(
        self, batch: BatchLike | None = None, *, path: str | Path, where: str | None = None, form: FormOf | None = None,
        curves: CurvesOf = "none",
    ) -> Path:  # fmt: skip
        """Write jobs into a file, all of them or nothing, and return its path. Parquet needs no more memory than CSV.

        where: a question, as of `jobs()`. form: `ndjson`, `csv`, `parquet` or `arrow`; default: by the file's ending.
        curves: `list`, all losses of a job in one row; `long`, a row for each loss; `none`. docs/analysis.md has the
        columns.
        """
        chosen = Form(form) if form is not None else form_of(Path(path))
        params = {"where": where, "curves": Curves(curves)}
        with written_whole(Path(path)) as file:
            async with self._transport.stream(_path(batch), chosen.content_type, params) as answer:
                async for block in answer.blocks():
                    await self._transport.run(file.write, block)
        return Path(path)

    @iterates
    async def export_jobs(self, batch: BatchLike) -> "AsyncIterator[tuple[Job, np.ndarray]]":
        """Every job of a batch with its losses, of shape (steps recorded,), one by one as they arrive.

        The jobs come without spec and warnings; the losses are exact, in the dtype that was trained.
        """
        import numpy as np
        import orjson

        params = {"losses": "base64"}
        async with self._transport.stream(_path(batch), Form.NDJSON.content_type, params) as answer:
            async for line in answer.lines():
                fields = orjson.loads(line)
                dtype = np.dtype(fields.pop("dtype"))
                losses = np.frombuffer(b64decode(fields.pop("losses")), dtype.newbyteorder("<"))
                yield self._one(Job, fields), losses.astype(dtype)

    @asks
    async def frame(
        self, where: str | None = None, *, batch: BatchLike | None = None, sort: str | None = None,
        curves: Literal["long", "list"] | None = None, kind: Literal["pandas", "polars"] = "pandas",
    ) -> Any:  # fmt: skip
        """Jobs as a data frame, with a column for each parameter, tag and figure of a metric.

        where: a question, as of `jobs()`. sort: a column, the largest first after a minus: `-loss_min`; jobs without a
        value of it are left out. curves: `list`, a column `losses` of arrays; `long`, a row for each loss, with the
        columns `step` and `loss`. kind: `pandas` or `polars`. Raises MissingExtra where that package is not installed.
        """
        from gradyard.client.exports.frames import as_frame, frames_of

        make = frames_of(kind)
        wanted = {"where": where, "curves": "list" if curves else "none", "losses": "base64"}
        async with self._transport.stream(_path(batch), Form.NDJSON.content_type, wanted) as answer:
            lines = [line async for line in answer.lines()]
        return make(as_frame(lines, sort=sort, curves=curves))

    @iterates
    async def export_lines(
        self, batch: BatchLike | None = None, *, where: str | None = None, csv: bool = False, curves: str | None = None
    ) -> AsyncIterator[str]:
        """Jobs as lines of NDJSON or CSV, as they arrive.

        Without `curves`, those of a batch come whole with all of their losses, or in CSV as `job,step,loss`.
        """
        accept = (Form.CSV if csv else Form.NDJSON).content_type
        async with self._transport.stream(_path(batch), accept, {"where": where, "curves": curves}) as answer:
            async for line in answer.lines():
                yield line

    @iterates
    async def export_blocks(
        self, batch: BatchLike | None, *, where: str | None, form: Form, curves: Curves | None
    ) -> AsyncIterator[bytes]:
        """The bytes of an export as they arrive."""
        params = {"where": where, "curves": curves}
        async with self._transport.stream(_path(batch), form.content_type, params) as answer:
            async for block in answer.blocks():
                yield block


def form_of(path: Path) -> Form:
    """The form of a file by its ending. Raises ValueError where it has none of ours."""
    form = ENDINGS.get(path.suffix.lower())
    if form is None:
        raise ValueError(f"{path}: name the form, or end the file in one of {', '.join(ENDINGS)}")
    return form


def _path(batch: BatchLike | None) -> str:
    return "/v1/jobs/export" if batch is None else f"{batch_path(batch)}/export"
