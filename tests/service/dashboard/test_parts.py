"""What the page is made of in a browser."""

import re

from gradyard.shapes.live import MessageName
from service.dashboard.parts import every_part


def test_every_module_that_a_script_imports_is_a_part() -> None:
    scripts = {name: part.plain.decode() for name, part in every_part().items() if name.endswith(".js")}
    imported = {found for text in scripts.values() for found in re.findall(r'from "\./([^"]+)"', text)}
    assert imported
    assert imported <= set(scripts)


def test_scripts_listen_to_messages_that_the_service_sends() -> None:
    text = every_part()["live.js"].plain.decode()
    listed = re.search(r"for \(const name of \[([^]]*)\]\)", text)
    assert listed is not None
    heard = set(re.findall(r'"(\w+)"', listed[1])) | set(re.findall(r'addEventListener\("(problem)"', text))
    of_a_batch = {MessageName.MOVES, MessageName.BATCH_ENDED}  # a whole project's stream has none of these
    assert heard == set(MessageName) - of_a_batch
