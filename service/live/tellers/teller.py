"""What every teller has: the subject that it looks at, and how much of it is told."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

import orjson

from gradyard.jobs.errors import GradyardError
from gradyard.shapes.live import MessageName
from service.http.errors import answer_of
from service.http.services import Services
from service.live.messages import Message
from service.live.positions import Position, ended
from service.live.subjects import Subject, Which


@dataclass
class Teller(ABC):
    """Tells of one thing of a project, from a position on."""

    services: Services
    project_id: int
    id: UUID
    position: Position

    kind: ClassVar[str]
    subject: ClassVar[type[Subject]]

    @property
    def which(self) -> Which:
        """The subject of which it tells."""
        return self.subject, (self.project_id, self.id)

    def tell(self, head: Any) -> Iterator[Message]:
        """The messages that are due where the subject stands at `head`; None: it is gone.

        Raises DatabaseUnavailable where what it tells cannot be read now.
        """
        if self.position.ended:
            return
        try:
            for message in self.news(head):
                self.position = message.position or self.position
                yield message
        except GradyardError as error:
            if not (answer := answer_of(error)):
                raise
            self.position = ended(self.position)
            about = orjson.loads(answer) | {self.kind: str(self.id)}
            yield Message(MessageName.PROBLEM, orjson.dumps(about), self.position)

    @abstractmethod
    def news(self, head: Any) -> Iterator[Message]:
        """The messages that are due. Raises Gone or NotFound where the thing is gone."""
