"""What the shell completes: the ids of the newest jobs and batches, and the names of stages.

Asked on a TAB, so within half a second and without a word where no service answers.
"""

from collections.abc import Callable, Iterable
from threading import Thread

import typer

from gradyard.cli import text
from gradyard.cli.grammar.options import CommandOptions
from gradyard.client.client import Client
from gradyard.jobs.visible_text import one_line

NEWEST = 50
LONGEST_SECONDS = 0.3  # with the start of the command, about half a second

Completion = tuple[str, str]  # the word, and what the shell shows beside it


def job_ids(ctx: typer.Context, incomplete: str) -> list[Completion]:
    """The ids of the newest jobs that begin so, each with its state, stage and name."""
    return _beginning(ctx, incomplete, lambda client: (
        (job.id, f"{job.state} {job.stage} {one_line(job.name or '')}".rstrip())
        for job in client.jobs(limit=NEWEST)
    ))  # fmt: skip


def batch_ids(ctx: typer.Context, incomplete: str) -> list[Completion]:
    """The ids of the newest batches that begin so, each with its state, size and name."""
    return _beginning(ctx, incomplete, lambda client: (
        (batch.id, f"{batch.state} {text.jobs(batch.size)} {one_line(batch.name or '')}".rstrip())
        for batch in client.batches(limit=NEWEST)
    ))  # fmt: skip


def file_ids(ctx: typer.Context, incomplete: str) -> list[Completion]:
    """The ids of the newest files that begin so, each with its name."""
    return _beginning(ctx, incomplete, lambda client: (
        (file.id, one_line(file.name or "")) for file in client.files(limit=NEWEST)
    ))  # fmt: skip


def stage_names(ctx: typer.Context, incomplete: str) -> list[Completion]:
    """The names of the stages that begin so, each with its title."""
    return _beginning(ctx, incomplete, lambda client: (
        (stage.name, one_line(stage.title)) for stage in client.stages()
    ))  # fmt: skip


def _beginning(ctx: typer.Context, incomplete: str, ask: Callable[[Client], Iterable[Completion]]) -> list[Completion]:
    found: list[Completion] = []

    def fill() -> None:
        try:
            with CommandOptions.of(ctx).connect(retry_seconds=0.0) as client:
                found.extend(ask(client))
        except Exception:
            pass

    asking = Thread(target=fill, daemon=True)  # the process ends without it: a name server may take many seconds
    asking.start()
    asking.join(LONGEST_SECONDS)
    return [each for each in found if each[0].startswith(incomplete)]
