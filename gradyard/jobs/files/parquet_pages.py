"""How much the pages of a Parquet file unpack to, by their own headers: Arrow takes that memory before it unpacks."""

from collections.abc import Iterator
from typing import Any, BinaryIO

from gradyard.jobs.errors import FileInvalid
from gradyard.jobs.files.shown import quoted

PAGE_BYTES = 2**28  # writers make pages of a MiB; DuckDB of up to 100 MB
MOST_PAGES = 100_000
HEADER_BYTES = (2**12, 2**20)  # a header has the least and the largest value, which are short nearly always
UNPACKED, PACKED = 2, 3  # the fields of a PageHeader in parquet.thrift
MOST_NESTED, LONGEST_BITS = 16, 63


def check_pages(content: BinaryIO, chunks: Iterator[Any]) -> None:
    """Raise FileInvalid where a page of these column chunks (pyarrow's ColumnChunkMetaData) is too large or not there.

    Also where there are more than 100,000 pages: many small ones, or one that is listed many times, cost time.
    """
    pages = 0
    for chunk in chunks:
        if chunk.num_values <= 0:  # Arrow reads no page of it, and there need not be one
            continue
        at = chunk.data_page_offset
        if chunk.has_dictionary_page and 0 < (chunk.dictionary_page_offset or 0) < at:
            at = chunk.dictionary_page_offset
        end = at + chunk.total_compressed_size
        while at < end:
            unpacked, at = _page(content, at)
            pages += 1
            if unpacked > PAGE_BYTES:
                raise FileInvalid(
                    f"a page of column {quoted(chunk.path_in_schema)} has {unpacked:,} bytes when unpacked, and may "
                    f"have {PAGE_BYTES:,}; write the file with smaller pages"
                )
            if pages > MOST_PAGES:
                raise FileInvalid(f"the file has more than {MOST_PAGES:,} pages; write it with larger pages")


def _page(content: BinaryIO, at: int) -> tuple[int, int]:
    """How many bytes a page has when unpacked, and where the next one begins."""
    for size in HEADER_BYTES:
        content.seek(at)
        header = _Thrift(content.read(size))
        try:
            fields = header.integers()
            unpacked, packed = fields[UNPACKED], fields[PACKED]
        except IndexError:  # the header is longer, or the file ends
            continue
        except KeyError:
            break
        if unpacked >= 0 and packed >= 0:
            return unpacked, at + header.at + packed
    raise FileInvalid("the file begins like Parquet, and a page of it is damaged; write it again")


class _Thrift:
    """A struct in Thrift's compact protocol, in which Parquet writes its headers.

    Raises IndexError at the end of the data, KeyError for what is no such struct.
    """

    def __init__(self, data: bytes) -> None:
        self._data, self.at = data, 0

    def integers(self, nested: int = 0) -> dict[int, int]:
        """The integers of the struct by the number of their field; all other fields are skipped."""
        found, number = dict[int, int](), 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._integer()
            if (kind := head & 0xF) in (4, 5, 6):
                found[number] = self._integer()
            else:
                self._pass_over(kind, nested)
        return found

    def _pass_over(self, kind: int, nested: int, *, is_element: bool = False) -> None:
        if nested > MOST_NESTED:
            raise KeyError
        if self.at > len(self._data):
            raise IndexError
        if kind in (1, 2):  # a boolean field is in its head; an element of a list is a byte
            self.at += is_element
        elif kind == 3:
            self.at += 1
        elif kind in (4, 5, 6):
            self._integer()
        elif kind == 7:
            self.at += 8
        elif kind == 8:
            length = self._varint()
            self.at += length
        elif kind in (9, 10):
            head = self._byte()
            for _ in range(head >> 4 if head >> 4 < 15 else self._varint()):
                self._pass_over(head & 0xF, nested + 1, is_element=True)
        elif kind == 12:
            self.integers(nested + 1)
        else:
            raise KeyError

    def _byte(self) -> int:
        self.at += 1
        return self._data[self.at - 1]

    def _varint(self) -> int:
        value, shift = 0, 0
        while (byte := self._byte()) & 0x80:
            value, shift = value | (byte & 0x7F) << shift, shift + 7
            if shift > LONGEST_BITS:
                raise KeyError
        return value | byte << shift

    def _integer(self) -> int:
        value = self._varint()
        return value >> 1 ^ -(value & 1)
