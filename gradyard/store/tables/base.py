"""The base of all tables. Every time is a float of seconds since 1970 UTC, by the database's own clock.

The name of a constraint is the sentence that it guards. Rows that belong to a job have its project for their indexes;
the job alone refers to it, as a second check of each row would cost as much as the row.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Double, LargeBinary, MetaData, Uuid
from sqlalchemy.orm import DeclarativeBase

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Table(DeclarativeBase):
    """All tables of gradyard."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {
        float: Double,
        int: BigInteger,
        UUID: Uuid(as_uuid=True),
        dict[str, Any]: JSON,
        bytes: LargeBinary,
    }
