"""What the page is made of in a browser."""

import re

from gradyard.shapes.live import MessageName
from service.dashboard.parts import modules


def test_scripts_listen_to_messages_that_the_service_sends() -> None:
    text = modules()["service/live.js"]
    listed = re.search(r"for \(const name of \[([^]]*)\]\)", text)
    assert listed is not None
    heard = set(re.findall(r'"(\w+)"', listed[1])) | set(re.findall(r'addEventListener\("(problem)"', text))
    of_a_batch = {MessageName.MOVES, MessageName.BATCH_ENDED}  # a whole project's stream has none of these
    assert heard == set(MessageName) - of_a_batch
