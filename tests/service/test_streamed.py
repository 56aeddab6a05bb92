"""What is streamed leaves in blocks that the server keeps in memory."""

from service.server.worker import IN_MEMORY_BYTES
from service.streamed import BLOCK_BYTES, _blocks


def test_blocks_have_the_content_of_the_parts_and_stay_below_what_the_server_keeps_in_memory() -> None:
    parts = [b"a" * 7, b"b" * 3 * BLOCK_BYTES, b"", b"c" * (BLOCK_BYTES - 1), b"d" * (BLOCK_BYTES + 1), b"e"]
    blocks = list(_blocks(parts))
    assert b"".join(blocks) == b"".join(parts)
    assert max(map(len, blocks)) < 2 * BLOCK_BYTES <= IN_MEMORY_BYTES
    assert all(len(block) >= BLOCK_BYTES for block in blocks[:-1])
