"""The argument of commands that are about one job."""

from typing import Annotated

import typer

from gradyard.cli.grammar.completion import job_ids

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The id of the job.", autocompletion=job_ids)]
