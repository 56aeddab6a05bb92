"""All jobs of a question: said how many first, then cancelled, retried, deleted or tagged."""

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any

import typer

from gradyard.cli import text
from gradyard.cli.errors import BadUsage
from gradyard.cli.grammar.options import CommandOptions, print_json
from gradyard.client.errors import RefusedByService
from gradyard.shapes import ActionDone

AllOption = Annotated[
    str | None,
    typer.Option("--where", metavar="QUESTION", help="All jobs of which it is true: state == 'failed' and seed < 9"),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="With --where: do not ask first.")]

DONE = {"cancel": "cancelled", "retry": "submitted anew", "delete": "deleted", "tag": "tagged"}
LEFT = {
    "finished": "had ended", "unfinished": "{are} queued or running", "pinned": "{are} pinned",
    "of_others": "{are} not yours", "too_many_tags": "would have too many tags", "changed": "changed meanwhile",
    "busy": "{are} in use at the moment",
}  # fmt: skip


def act_on_all(
    options: CommandOptions, action: str, where: str, ids: Sequence[str] | None, *, yes: bool,
    tags: Mapping[str, str | None] | None = None, changes: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """Says how many jobs satisfy the question, asks, does it, and says what was done.

    Raises BadUsage where ids are named as well, or where it cannot ask and `yes` does not say that it need not.
    """
    if ids:
        raise BadUsage(f"{action}: name ids, or --where for all of a question, not both")
    with options.connect() as client:
        act, count = partial(client.jobs.act, action, where, tags=tags, set=changes), partial(client.jobs.count, where)
        done = _at_once(action, count, act) if yes else _agreed(action, count, act)
    if options.as_json:
        print_json(done.as_json())
    else:
        typer.echo(sentence(done))


def _at_once(action: str, count: Callable[[], int], act: Callable[..., ActionDone]) -> ActionDone:
    """Say how many jobs there are, and do it to as many as there are when it begins, without a question."""
    if not (jobs := count()):
        return _nothing(action)
    typer.echo(text.jobs(jobs), err=True)
    return act()


def _agreed(action: str, count: Callable[[], int], act: Callable[..., ActionDone]) -> ActionDone:
    """Ask, and do it to as many jobs as were agreed to; ask again where there are more or fewer by then."""
    while jobs := count():
        if not sys.stdin.isatty():
            raise BadUsage(f"{action}: {text.jobs(jobs)} satisfy the question; add --yes to {action} them")
        them = "it" if jobs == 1 else "them"
        typer.confirm(f"{text.jobs(jobs)}. {action.capitalize()} {them}?", abort=True, err=True)
        try:
            return act(expected_count=jobs)
        except RefusedByService as error:
            if error.status != 409:
                raise
            typer.echo("the number has changed", err=True)
    return _nothing(action)


def _nothing(action: str) -> ActionDone:
    return ActionDone.model_validate({"action": action, "count": 0, "done": 0, "skipped": {}})


def sentence(done: ActionDone) -> str:
    """What was done to how many jobs, and why others were left alone."""
    if not done.count:
        return "no job satisfies the question"
    left = [f"{count:,} {_why(reason, count)}" for reason, count in done.skipped.items()]
    return "; ".join([f"{done.done:,} of {text.jobs(done.count)} {DONE[done.action]}", *left])


def _why(reason: str, count: int) -> str:
    return LEFT.get(reason, reason.replace("_", " ")).format(are="is" if count == 1 else "are")
