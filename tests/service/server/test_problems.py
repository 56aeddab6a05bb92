"""What a request that could not be read is told, as JSON."""

import json

from waitress.utilities import BadRequest

from service.server.problems import problem_of


def test_what_it_repeats_of_the_request_cannot_control_a_terminal() -> None:
    told = json.loads(problem_of(BadRequest('Malformed HTTP method "G\x9b2KT\x1b]0;owned\x07"')))
    assert told["detail"] == r'Malformed HTTP method "G\u009b2KT\u001b]0;owned\u0007"'
    assert (told["status"], told["type"]) == (400, "bad_request")
