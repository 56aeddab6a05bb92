"""The projects of the service side by side: who has jobs in the queue, what came of them, who may open them."""

from typing import Any

from gradyard.jobs.identifiers import submitted_at_of
from gradyard.store import queries
from gradyard.store.dialects import as_datetime
from gradyard.store.queries.page.projects import projects_at_work
from service.dashboard.administration.asked import asked
from service.http.parameters import ProjectQuery
from service.http.services import current_services
from service.representation.administration.storage import storage_answer


def projects() -> tuple[str, dict[str, Any]]:
    """The page of all projects, for operators."""
    asked(ProjectQuery)
    services = current_services()
    with services.database.snapshot() as connection:
        found = projects_at_work(connection)
        stored = queries.storage_by_project(connection, None)
    return "administration/projects.html", {
        "projects": found,
        "stored": {row.name: storage_answer(row, services.settings) for row in stored},
        "newest": {each.name: as_datetime(submitted_at_of(each.newest_job)) for each in found if each.newest_job},
    }  # fmt: skip
