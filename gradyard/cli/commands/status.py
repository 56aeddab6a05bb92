"""`gradyard status`: one screen about the service."""

from collections import Counter

import typer
from rich.table import Table
from rich.text import Text

from gradyard.cli import text
from gradyard.cli.grammar.options import CommandOptions, asks_the_service, print_json
from gradyard.cli.tables import jobs_table, queues_table
from gradyard.cli.terminal import console, print_table
from gradyard.client.client import Client
from gradyard.jobs.states import State
from gradyard.jobs.visible_text import one_line
from gradyard.shapes import Job, Queue, Readiness, Worker

NEWEST_FAILURES = 5
STYLES = {"ready": "green", "degraded": "yellow", "unavailable": "red"}


@asks_the_service
def status(options: CommandOptions) -> None:
    """Show whether the service is ready, its queues, slots and newest failures.

    The exit status is 1 where it accepts no jobs, 3 where none answers.
    """
    with options.connect() as client:
        readiness = client.readiness()
        available = readiness.status != "unavailable"
        queues, workers = (client.queues(), client.workers()) if available else ([], [])
        failures = list(client.jobs(state=State.FAILED, limit=NEWEST_FAILURES)) if available else []
    if options.as_json:
        print_json({"url": client.url, **readiness.as_json(), "queues": [each.as_json() for each in queues],
                    "slots": [each.as_json() for each in workers],
                    "newest_failures": [each.as_json() for each in failures]})  # fmt: skip
    else:
        _print(client, readiness, queues, workers, failures)
    if not available:
        raise typer.Exit(1)


def _print(
    client: Client, readiness: Readiness, queues: list[Queue], workers: list[Worker], failures: list[Job]
) -> None:
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    facts.add_row("service", Text(client.url, style="bold"))
    facts.add_row("state", Text(readiness.status, style=STYLES[readiness.status]))
    for reason in _reasons(readiness):
        facts.add_row("", reason)
    facts.add_row("versions", _versions(readiness, workers))
    facts.add_row("database", readiness.database_kind or "-")
    facts.add_row("slots", _slots(workers))
    console().print(facts)
    if queues:
        print_table(queues_table(queues))
    if failures:
        typer.echo("newest failures:")
        print_table(jobs_table(failures))
        for job in failures:
            console().print(Text(f"{job.id}: {text.failure_of(job)}"), soft_wrap=True)


def _reasons(readiness: Readiness) -> list[str]:
    """Why the service is not ready, and what to do."""
    reasons = []
    if readiness.database not in (None, "ok"):
        reasons.append(one_line(f"the database: {readiness.database}"))
    if readiness.redis not in (None, "ok"):
        reasons.append(one_line(f"Redis: {readiness.redis}"))
    if readiness.status == "degraded" and not any(readiness.workers.values()):
        reasons.append("no worker is alive, so jobs wait; `gradyard worker` starts workers")
    return reasons


def _versions(readiness: Readiness, workers: list[Worker]) -> str:
    """The version of the service, and those of the workers where they are others."""
    others = {str((worker.versions or {}).get("gradyard", "unknown")) for worker in workers if worker.state != "dead"}
    others.discard(readiness.version or "")
    service = f"gradyard {readiness.version or 'unknown'}"
    return one_line(f"{service}, workers with {', '.join(sorted(others))}" if others else service)


def _slots(workers: list[Worker]) -> str:
    """How many slots of each queue are in each state: `cpu: 2 busy, 1 idle`."""
    counts = Counter((worker.queue, worker.state) for worker in workers)
    queues = dict.fromkeys(worker.queue for worker in workers)
    return "; ".join(
        f"{queue}: " + ", ".join(f"{count} {state}" for (its, state), count in sorted(counts.items()) if its == queue)
        for queue in queues
    ) or "none"  # fmt: skip
