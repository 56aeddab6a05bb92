"""What a supervisor asks of the process that forks its runners, over a socket of their own: one byte each."""

import struct

FORK = b"f"
"""Fork a runner. Its socket to the supervisor and the pipe for what it prints come with the byte, in this order."""

STATUS = b"s"
"""How the last fork ended. Answered with a `STATUS_ANSWER`: its exit status, -n after signal n."""

LOAD = b"l"
"""Load what torch.optim needs, too: each later fork has it. It takes seconds, and is not answered."""

STATUS_ANSWER = struct.Struct("!i")
