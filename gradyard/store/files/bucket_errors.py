"""What an error of obstore says about the bucket, in words of our own, and what to do.

obstore's text holds the whole answer of the server and the address that was asked: with a key's id, maybe a password.
None of it is shown but the code of S3's error and the HTTP status.
"""

import re

from gradyard.jobs.errors import ContentUnavailable

CODE = re.compile(r"<Code>([A-Za-z]{1,60})</Code>")
STATUS = re.compile(r"status code: ([1-5][0-9]{2})\b")
NO_BUCKET = "<Code>NoSuchBucket</Code>"
NO_UPLOAD = "<Code>NoSuchUpload</Code>"
KEYS = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
SENTENCES = {
    NO_BUCKET: "does not exist: create it, or correct GRADYARD_FILES_URL",
    NO_UPLOAD: "removed parts before all were there: let its lifecycle rule wait longer",
    # obstore has a text of its own for a redirect (301) to no address, by which S3 answers in a wrong region
    r"<Code>(AuthorizationHeaderMalformed|IllegalLocationConstraintException)</Code>|\bBareRedirect\b": (
        "is in another region: correct AWS_REGION"
    ),
    r"<Code>RequestTimeTooSkewed</Code>": "refuses requests by the clock of this host: set its clock",
    r"/latest/(api/token|meta-data)": f"cannot be asked without credentials: set {KEYS}",
    r"status code: 40[13]\b": f"refuses these credentials: look at {KEYS}, and at what they may do there",
    r"\bBadScheme\b": "has an address without TLS: set AWS_ALLOW_HTTP=true if AWS_ENDPOINT_URL shall be http://",
    r"\bTimedOut\b|kind: Timeout\b": "does not answer in time: look at its server and the network",
    r"kind: Connect\b": "cannot be reached: look at AWS_ENDPOINT_URL, its server and the network",
    r"status code: (429|5[0-9]{2})\b": "cannot do it now: try again, and look at its server",
}
"""The first that is found in the text of an error says what it was."""


def is_missing_object(said: str) -> bool:
    """Whether an answer 404 is about the object, as far as it says."""
    return NO_BUCKET not in said and NO_UPLOAD not in said


def unavailable(url: str, said: str) -> ContentUnavailable:
    """The error to be raised. url: of the place, which has no secret; said: the text of obstore's error."""
    found = (sentence for pattern, sentence in SENTENCES.items() if re.search(pattern, said))
    facts = [each[1] for each in (CODE.search(said), STATUS.search(said)) if each]
    answer = f" ({', '.join(facts)})" if facts else ""
    return ContentUnavailable(f"the bucket of files {url} {next(found, 'did not do what it was asked')}{answer}")
