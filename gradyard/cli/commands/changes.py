"""Commands that change many jobs one after another: cancel, retry, delete."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from gradyard.cli.arguments.spec import changes_from
from gradyard.cli.commands.jobs import SetOption
from gradyard.cli.commands.questions.actions import AllOption, YesOption, act_on_all
from gradyard.cli.grammar.completion import job_ids
from gradyard.cli.grammar.options import CommandOptions, asks_the_service, print_json
from gradyard.client.client import Client
from gradyard.client.errors import RefusedByService
from gradyard.jobs.visible_text import one_line

NOT_ABOUT_ONE_ID = (401, 403, 429, 503)  # the others would be refused as well

# Not required: `gradyard cancel $(gradyard jobs --state queued --ids)` where none is queued
IdsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="ID...", help="The ids of the jobs.", autocompletion=job_ids)
]


@dataclass(frozen=True)
class Change:
    """What was done for one id: the line for a person, and the fields for `--json`."""

    line: str
    fields: dict[str, Any]


@asks_the_service
def cancel(options: CommandOptions, ids: IdsArgument = None, where: AllOption = None, yes: YesOption = False) -> None:
    """Cancel queued and running jobs.

    A finished job stays as it is.

    gradyard cancel ID

    gradyard cancel --where 'learning_rate > 0.1'
    """
    if where is not None:
        act_on_all(options, "cancel", where, ids, yes=yes)
        return
    change_each(options, "cancel", ids, _cancel)


@asks_the_service
def retry(
    options: CommandOptions, ids: IdsArgument = None, assignments: SetOption = None, where: AllOption = None,
    yes: YesOption = False,
) -> None:  # fmt: skip
    """Submit finished jobs once more, with other values where --set gives them, and print the new ids.

    gradyard retry ID

    gradyard retry ID --set learning_rate=1e-7

    gradyard retry --where 'state == "failed" and reason == "diverged"' --set learning_rate=1e-7
    """
    changes = changes_from(assignments or [])
    if where is not None:
        act_on_all(options, "retry", where, ids, yes=yes, changes=changes or None)
        return
    change_each(options, "retry", ids, lambda client, job_id: _retry(client, job_id, changes))


@asks_the_service
def delete(options: CommandOptions, ids: IdsArgument = None, where: AllOption = None, yes: YesOption = False) -> None:
    """Delete finished jobs with their results, losses and logs.

    gradyard delete ID

    gradyard delete --where 'state == "cancelled"'
    """
    if where is not None:
        act_on_all(options, "delete", where, ids, yes=yes)
        return
    change_each(options, "delete", ids, _delete)


def change_each(
    options: CommandOptions, verb: str, ids: Sequence[str] | None, change: Callable[[Client, str], Change]
) -> None:
    """Applies `change` to each id and says what it did; a refusal is told, and the next id follows.

    Exits with 1 where an id was refused.
    """
    if not ids:
        typer.echo(f"nothing to {verb}: no id was given", err=True)
    done, refused = [], False
    with options.connect() as client:
        for each in ids or ():
            try:
                changed = change(client, each)
            except RefusedByService as refusal:
                if refusal.status in NOT_ABOUT_ONE_ID:
                    raise
                refused = True
                typer.echo(one_line(f"gradyard: {refusal}"), err=True)
                changed = Change("", {"id": each, "error": str(refusal)})
            done.append(changed.fields)
            if changed.line and not options.as_json:
                typer.echo(changed.line)
    if options.as_json:
        print_json(done)
    if refused:
        raise typer.Exit(1)


def _cancel(client: Client, job_id: str) -> Change:
    already = ""
    try:
        job = client.jobs.cancel(job_id)
    except RefusedByService as refusal:
        if refusal.status != 409 or not (job := client.jobs.get(job_id)).finished:
            raise
        already = " already"
    return Change(f"{job.id} {job.state}{already}", {"id": job.id, "state": job.state})


def _retry(client: Client, job_id: str, changes: dict[str, Any]) -> Change:
    job = client.jobs.retry(job_id, set=changes)
    return Change(job.id, {"id": job.id, "retry_of": job.retry_of})


def _delete(client: Client, job_id: str) -> Change:
    client.jobs.delete(job_id)
    return Change(f"{job_id} deleted", {"id": job_id, "deleted": True})
