"""The parameters of routes that set which ended jobs a project keeps."""

from pydantic import Field

from service.http.parameters import Project, Query


class RetentionQuery(Query):
    """In which project, and whether to set the rule."""

    preview: bool = Field(default=False, description="set nothing; say how many jobs the rule would let go")
    project: Project = None
