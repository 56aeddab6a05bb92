"""How many streams there may be at a time, and how many jobs and batches they may be about, all together."""

from service.http.errors import TooManyStreams
from service.places import Places

MOST_OF_ONE_STREAM = 80  # 64 jobs and 16 batches
OF_A_STREAM = 16  # jobs and batches, as an average: where each of them stands is looked at ten times a second


class StreamPlaces:
    """The limits on the streams of one process. A project has half of the places at most."""

    def __init__(self, most: int) -> None:
        self._streams = Places(most, "streams", TooManyStreams)
        things = max(2 * MOST_OF_ONE_STREAM, OF_A_STREAM * most)
        self._things = Places(things, "jobs and batches in streams", TooManyStreams)

    def take(self, project_id: int, things: int) -> None:
        """Take a place for a stream about so many jobs and batches, until `give_back`. Raises TooManyStreams."""
        self._streams.take(project_id)
        try:
            self._things.take(project_id, things)
        except TooManyStreams:
            self._streams.give_back(project_id)
            raise

    def give_back(self, project_id: int, things: int) -> None:
        """Give the place of such a stream back."""
        self._things.give_back(project_id, things)
        self._streams.give_back(project_id)

    def taken(self) -> int:
        """How many streams there are."""
        return self._streams.taken()
