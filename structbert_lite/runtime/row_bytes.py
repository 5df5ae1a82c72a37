"""A row as bytes for a server that others write to as well: whatever is not exactly right is no row.

| bytes | what |
|---|---|
| 4 | `SBR` and the version, 1 |
| 1 | 1 when the input was truncated, else 0 |
| 4 | the number of values, unsigned, little-endian |
| 8 | BLAKE2b of the key, the nine bytes above and the values |
| 4 each | the values, float32, little-endian |
"""

import hashlib
import struct

import numpy as np

from structbert_lite.runtime.cache import Row

MAGIC = b"SBR1"
HEAD = struct.Struct("<4s?I")
CHECKSUM_BYTES = 8
HEADER_BYTES = HEAD.size + CHECKSUM_BYTES


def pack_row(key: bytes, row: Row) -> bytes:
    """`row` as it is kept under `key`, and under no other."""
    head = HEAD.pack(MAGIC, row.truncated, row.values.size)
    values = row.values.astype("<f4", copy=False).tobytes()
    return head + _checksum(key, head, values) + values


def unpack_row(key: bytes, data: bytes, width: int) -> Row | None:
    """What pack_row(key, row) was given, to the last bit; None for any other bytes, width or key."""
    if len(data) != HEADER_BYTES + 4 * width:
        return None
    head, checksum, values = data[: HEAD.size], data[HEAD.size : HEADER_BYTES], data[HEADER_BYTES:]
    if checksum != _checksum(key, head, values):
        return None
    magic, truncated, count = HEAD.unpack(head)
    row = Row(np.frombuffer(values, "<f4").astype(np.float32), truncated)
    return row if magic == MAGIC and count == width and np.isfinite(row.values).all() else None


def _checksum(key: bytes, head: bytes, values: bytes) -> bytes:
    """Lengths need no mark: the head has always the same, and the key comes last."""
    return hashlib.blake2b(head + values + key, digest_size=CHECKSUM_BYTES).digest()
