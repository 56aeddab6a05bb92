"""Ids that sort by age."""

from gradyard.jobs.identifiers import new_id


def test_ids_are_of_version_7_and_rise() -> None:
    ids = [new_id() for _ in range(10_000)]
    assert {each.version for each in ids} == {7}
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
