"""Commands for what projects store: storage, storage retention."""

import sys
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

import typer

from gradyard.cli import text
from gradyard.cli.arguments.sizes import bytes_in, size
from gradyard.cli.errors import BadUsage
from gradyard.cli.grammar.options import CommandOptions, asks_the_service, print_json
from gradyard.cli.output.listing import Column, Listing
from gradyard.cli.terminal import console, print_table
from gradyard.jobs.storage import STORED
from gradyard.jobs.visible_text import one_line
from gradyard.shapes import RetentionRule, Storage

DaysOption = Annotated[float | None, typer.Option("--days", help="Keep jobs for so many days after their end.")]
JobsOption = Annotated[int | None, typer.Option("--jobs", min=1, help="Keep so many of the newest jobs that ended.")]
BytesOption = Annotated[
    str | None, typer.Option("--bytes", metavar="SIZE", help="Keep so many bytes of jobs that ended: 10GB, 512MiB.")
]
AllOption = Annotated[bool, typer.Option("--keep-all", help="Keep every job.")]
DefaultOption = Annotated[bool, typer.Option("--default", help="Keep what the settings of the service say.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before a rule that deletes jobs.")]


@asks_the_service
def show_storage(options: CommandOptions) -> None:
    """Show what the project stores by kind, and what it may store; for operators each project.

    gradyard storage --project physics
    """
    with options.connect() as client:
        found = client.storage()
    print_json(found.as_json()) if options.as_json else _print(found)


@asks_the_service
def retention(
    options: CommandOptions,
    days: DaysOption = None,
    jobs: JobsOption = None,
    bytes: BytesOption = None,
    keep_all: AllOption = False,
    default: DefaultOption = False,
    yes: YesOption = False,
) -> None:
    """Show which ended jobs the project keeps, or set it: a job goes as soon as one of the options says so.

    What is not named says nothing. Pinned jobs are always kept.

    gradyard storage retention

    gradyard storage retention --days 90 --jobs 100000 --bytes 10GB
    """
    rule: dict[str, Any] = {"days": days, "jobs": jobs, "bytes": None if bytes is None else bytes_in(bytes, "--bytes")}
    named = any(value is not None for value in rule.values())
    if named + keep_all + default > 1:
        raise BadUsage("retention: name --days, --jobs and --bytes, or --keep-all, or --default alone")
    with options.connect() as client:
        if default:
            shown = _set(client.storage.unset_retention, ask=not yes)
        elif named or keep_all:
            shown = _set(partial(client.storage.set_retention, **rule), ask=not yes)
        else:
            shown = client.storage.retention()
    print_json(shown.as_json()) if options.as_json else console().print(_sentence(shown), soft_wrap=True)


def _set(change: Callable[..., RetentionRule], *, ask: bool) -> RetentionRule:
    if ask and (due := change(preview=True).due) != 0:
        jobs = text.jobs(due or 0)
        will = f"{jobs} will be deleted" if due else "jobs will be deleted, how many is not measured yet"
        if not sys.stdin.isatty():
            raise BadUsage(f"{will}; add --yes to do it")
        typer.confirm(f"{will}. Go on?", abort=True, err=True)
    return change()


def _print(storage: Storage) -> None:
    kinds = list(STORED)
    listing = Listing(
        Column("project", kind="text"), Column("stored", right=True), Column("limit", 2, right=True),
        *(Column(str(kind), 3 + len(kinds) - number, right=True) for number, kind in enumerate(kinds)),
        Column("kept", 1, kind="prose", least=12), Column("added up", 2, right=True),
    )  # fmt: skip
    for each in storage.projects:
        of_kind = {kind.kind: kind.bytes for kind in each.kinds}
        figures = (size(of_kind.get(kind, 0)) for kind in kinds)
        limit, kept = size(each.max_bytes), _kept(each.retention)
        listing.add(each.project, size(each.bytes), limit, *figures, kept, text.ago(each.measured_at))
    print_table(listing)
    if storage.database_bytes is not None:
        typer.echo(f"the whole database has {size(storage.database_bytes)}")


def _kept(rule: RetentionRule) -> str:
    parts = [
        None if rule.days is None else f"{rule.days:g} days",
        None if rule.jobs is None else text.jobs(rule.jobs),
        None if rule.bytes is None else size(rule.bytes),
    ]
    return ", ".join(part for part in parts if part is not None) or "all"


def _sentence(rule: RetentionRule) -> str:
    whose = "by the settings of the service" if rule.set_for == "service" else f"set by {rule.set_by}"
    due = f"; {rule.due:,} {'job is' if rule.due == 1 else 'jobs are'} to go" if rule.due else ""
    return one_line(f"kept: {_kept(rule)} ({whose}){due}")
