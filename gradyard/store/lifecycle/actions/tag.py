"""Jobs of a question get other tags."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, select

from gradyard.jobs.submission.requests.changes import TagChanges, too_many_tags
from gradyard.store.lifecycle.actions.asked import AskedJobs, Tally, still_asked
from gradyard.store.lifecycle.actions.new_tags import NewTags, write_tags
from gradyard.store.tables import Job

TOO_MANY_TAGS = "too_many_tags"


def tag_some(connection: Connection, asked: AskedJobs, job_ids: Sequence[UUID], changes: TagChanges) -> Tally:
    """Change the tags of these jobs, where they still satisfy the question. To do it again changes nothing more."""
    ids, skipped = still_asked(connection, asked, job_ids)
    rows = connection.execute(select(Job.id, Job.project_id, Job.tags).where(Job.id.in_(ids)))
    tagged = [NewTags(row.id, row.project_id, row.tags, changes.of(row.tags)) for row in rows]
    fine = [each for each in tagged if not too_many_tags(each.after)]
    write_tags(connection, fine)
    too_many = len(tagged) - len(fine)
    return Tally(len(fine), skipped + Counter({TOO_MANY_TAGS: too_many} if too_many else {}))
