"""Jobs beside one another: the parameters in which they differ, their coefficients and metrics, and the best one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from gradyard.jobs.states import State
from gradyard.shapes.jobs import Job

FIGURES = ("last", "min", "max")
OF_ONE_RUN = {"device_uuid"}
TOLD_APART = ("name", "stage")  # they have columns of their own


def parameters_of(job: Job) -> dict[str, Any]:
    """Every parameter by its dotted name; the learning rate as it was trained, also where `auto` was asked."""
    spec = {name: value for name, value in job.spec.items() if name not in TOLD_APART}
    rate = (job.resolved or {}).get("learning_rate")
    return dict(_flat("", spec | ({} if rate is None else {"learning_rate": rate})))


def environment_of(job: Job) -> dict[str, Any]:
    """What trained it: `environment.engine`, `environment.versions.numpy`; empty where it has not succeeded."""
    return dict(_flat("environment", {name: each for name, each in job.environment.items() if name not in OF_ONE_RUN}))


def best_of(jobs: Sequence[Job]) -> int | None:
    """The place of the succeeded job with the lowest last loss; None where there is none."""
    ended = [
        (job.loss["last"], place) for place, job in enumerate(jobs)
        if job.state == State.SUCCEEDED and job.loss.get("last") is not None
    ]  # fmt: skip
    return min(ended)[1] if ended else None


def differing(jobs: Sequence[Job]) -> dict[str, list[Any]]:
    """What is not the same in all jobs: parameters, and of those that succeeded the environment.

    By name the values, in the order of the jobs; None: it has none.
    """
    parameters = _rows(jobs, parameters_of, lambda values: any(value != values[0] for value in values))
    return parameters | _rows(jobs, environment_of, _known_ones_differ)


def coefficients(jobs: Sequence[Job]) -> dict[str, list[Any]]:
    """The coefficients by letter: their values, in the order of the jobs; None where a job has none."""
    return _rows(jobs, lambda job: job.coefficients or {}, lambda values: True)


def metrics(jobs: Sequence[Job]) -> dict[str, list[Any]]:
    """The last, lowest and highest value of each metric, by `NAME.last` and so on, in the order of the jobs."""
    flat = [dict(_flat("", dict(job.metrics))) for job in jobs]
    names = sorted({name for each in flat for name in each if name.rpartition(".")[2] in FIGURES})
    return {name: [each.get(name) for each in flat] for name in names}


def _rows(
    jobs: Sequence[Job], of: Callable[[Job], Mapping[str, Any]], shown: Callable[[list[Any]], bool]
) -> dict[str, list[Any]]:
    every = [of(job) for job in jobs]
    names = dict.fromkeys(name for each in every for name in each)
    rows = {name: [each.get(name) for each in every] for name in names}
    return {name: values for name, values in rows.items() if shown(values)}


def _known_ones_differ(values: list[Any]) -> bool:
    known = [value for value in values if value is not None]
    return any(value != known[0] for value in known)


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}" if name else key, inner)
    else:
        yield name, value
