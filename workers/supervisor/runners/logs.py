"""Stores what a runner wrote to its stdout and stderr, for each member of its pack."""

from collections.abc import Sequence

from sqlalchemy import Connection

from gradyard.store import lifecycle
from workers.runner_client.output import Output
from workers.supervisor.pack import Member, Pack

OF_SEVERAL_PROJECTS = "(its pack had jobs of several projects, so the runner's output is kept for none of them)"


def keep_logs(connection: Connection, pack: Pack, members: Sequence[Member], output: Output) -> None:
    """Store the output for each of these members: which member a line is about is not known."""
    text, truncated = output.kept()
    if not text:
        return
    if not pack.of_one_project:
        text, truncated = OF_SEVERAL_PROJECTS, False
    elif pack.width > 1:
        text = f"(of a pack of {pack.width} jobs, which share their output)\n{text}"
    for member in members:
        lifecycle.keep_log(connection, member.job.held, text, truncated=truncated)
