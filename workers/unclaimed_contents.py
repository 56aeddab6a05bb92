"""The contents of files that are gone are deleted in a thread beside the rounds of maintenance.

A share or a bucket may hang, and leases and bells must not wait for it.
"""

import threading

import structlog

from gradyard.jobs.errors import GradyardError
from gradyard.jobs.settings import Settings
from gradyard.store.database import Database
from gradyard.store.files.claims import forget_unclaimed
from gradyard.store.files.reading import FileReader

log = structlog.get_logger()


class UnclaimedContents:
    """Deletes what is due whenever it is woken, and is not at work already.

    Raises SettingsInvalid where GRADYARD_FILES_URL is wrong. Without it another host's maintenance does the work.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._contents = FileReader.contents_of(settings)
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Let the thread look for what is due."""
        if self._contents is None or (self._thread is not None and self._thread.is_alive()):
            return
        self._thread = threading.Thread(target=self.work, name="delete contents of files", daemon=True)
        self._thread.start()

    def work(self) -> None:
        """Delete all that is due now. A failure is told in the log, and what is left is due again."""
        assert self._contents is not None
        database = Database(self._settings.database, pool_size=1)
        try:
            for _ in forget_unclaimed(database, self._contents):
                pass
        except GradyardError as error:
            log.warning("contents of files that are gone could not be deleted", error=str(error))
        except Exception:
            log.exception("contents of files that are gone could not be deleted")
        finally:
            database.close()
