"""Which file, and what an upload is called."""

from pydantic import BaseModel, Field, field_validator

from gradyard.jobs.visible_text import one_line
from service.http.parameters import ProjectQuery


class FilePath(BaseModel):
    """Which file."""

    file_id: str = Field(description="the SHA-256 of its content, or a beginning of at least 8 digits")


class UploadQuery(ProjectQuery):
    """What the file is called."""

    name: str | None = Field(default=None, min_length=1, max_length=200, description="a name for people: `cars.csv`")

    @field_validator("name")
    @classmethod
    def _can_be_shown(cls, name: str | None) -> str | None:
        if name is not None and one_line(name) != name:
            raise ValueError("must have no control characters")
        return name
