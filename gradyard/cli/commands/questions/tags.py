"""Commands that change jobs as they are listed: their names, tags, pins and priorities."""

from typing import Annotated, Any

import typer

from gradyard.cli.commands.changes import Change, IdsArgument, change_each
from gradyard.cli.commands.questions.actions import AllOption, YesOption, act_on_all
from gradyard.cli.errors import BadUsage
from gradyard.cli.grammar.ids import IdArgument
from gradyard.cli.grammar.options import CommandOptions, asks_the_service, print_json
from gradyard.client.client import Client
from gradyard.jobs.visible_text import one_line
from gradyard.shapes import Job

NameOption = Annotated[str | None, typer.Option("--name", help="Its new name; an empty one takes it away.")]
TagOption = Annotated[
    list[str] | None, typer.Option("--tag", metavar="KEY=VALUE", help="Set a tag; repeatable. The other tags stay.")
]
UntagOption = Annotated[list[str] | None, typer.Option("--untag", metavar="KEY", help="Take a tag away; repeatable.")]
PinOption = Annotated[
    bool | None,
    typer.Option("--pin/--unpin", help="Keep the job: retention leaves it, and it cannot be deleted."),
]
PriorityOption = Annotated[
    int | None, typer.Option("--priority", min=-100, max=100, help="Of a queued job: higher ones go first.")
]


@asks_the_service
def set_job(
    options: CommandOptions,
    job_id: IdArgument,
    name: NameOption = None,
    tags: TagOption = None,
    untag: UntagOption = None,
    pinned: PinOption = None,
    priority: PriorityOption = None,
) -> None:
    """Change a job's name, tags, pin, or, while it is queued, its priority.

    gradyard jobs set ID --name best --tag course=w3 --untag old --pin
    """
    changes: dict[str, Any] = {"pinned": pinned, "priority": priority, "tags": tag_changes(tags, untag) or None}
    if name is not None:
        changes["name"] = name or None
    if name is None and all(value is None for value in changes.values()):
        raise BadUsage("set: nothing to change; name one of --name, --tag, --untag, --pin, --unpin and --priority")
    with options.connect() as client:
        job = client.jobs.update(job_id, **changes)
    if options.as_json:
        print_json(job.as_json())
    else:
        typer.echo(_line(job))


@asks_the_service
def tag(
    options: CommandOptions,
    ids: IdsArgument = None,
    tags: TagOption = None,
    untag: UntagOption = None,
    where: AllOption = None,
    yes: YesOption = False,
) -> None:
    """Set and take away tags of jobs.

    gradyard jobs tag ID ID --tag course=w3

    gradyard jobs tag --where 'loss_min < 9' --tag good=yes --untag todo
    """
    changes = tag_changes(tags, untag)
    if not changes:
        raise BadUsage("tag: nothing to change; name --tag KEY=VALUE or --untag KEY")
    if where is not None:
        act_on_all(options, "tag", where, ids, yes=yes, tags=changes)
        return
    change_each(options, "tag", ids, lambda client, job_id: _tag(client, job_id, changes))


def tag_changes(tags: list[str] | None, untag: list[str] | None) -> dict[str, str | None]:
    """New values by key, None for a tag that goes. Raises BadUsage where one has no `=`, or two are of one tag."""
    changes: dict[str, str | None] = {}
    for each in tags or []:
        key, equals, value = each.partition("=")
        if not equals or not key:
            raise BadUsage(f"--tag {each}: write it as KEY=VALUE, such as --tag course=w3")
        if key in changes:
            raise BadUsage(f"--tag {key} is given twice; leave one out")
        changes[key] = value
    for key in untag or []:
        if key in changes:
            raise BadUsage(f"--untag {key}: it is set as well, or given twice; leave one out")
        changes[key] = None
    return changes


def _tag(client: Client, job_id: str, changes: dict[str, str | None]) -> Change:
    job = client.jobs.update(job_id, tags=changes)
    return Change(_line(job), {"id": job.id, "tags": dict(job.tags)})


def _line(job: Job) -> str:
    tags = " ".join(f"{key}={value}" for key, value in job.tags.items())
    parts = (job.id, job.name or "", tags, "pinned" if job.pinned else "",
             f"priority {job.priority}" if job.priority else "")  # fmt: skip
    return one_line("  ".join(part for part in parts if part))
