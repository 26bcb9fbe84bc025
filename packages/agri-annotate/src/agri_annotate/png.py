"""Masks as palette PNG, fast: a drawing is runs of one value, and runs are all that is coded.

A general compressor searches 12 million pixels for repetitions for 20 ms; a mask has but some ten
thousand runs, which are written as deflate codes with the fixed Huffman table (RFC 1951, 3.2.6):
the value, then repetitions at distance 1 of up to 258 bytes.
"""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agri_annotate.atomic import replacing_file
from agri_annotate.runs import Ints, Runs

STEP = 1 << 22
"""Pixels coded at a time, so that memory does not grow with the picture."""

MODULUS = 65521

LONGEST = 258


def write_png(path: Path, runs: Runs, palette: bytes) -> None:
    """Write a mask as PNG of mode P with the 256 colours of `palette`, atomically."""
    header = struct.pack(">2I5B", runs.width, runs.height, 8, 3, 0, 0, 0)
    with replacing_file(path) as temporary, temporary.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        file.write(_chunk(b"IHDR", header) + _chunk(b"PLTE", palette))
        for data in deflate(runs.edges, runs.classes):
            file.write(_chunk(b"IDAT", data))
        file.write(_chunk(b"IEND", b""))


def deflate(edges: Ints, values: NDArray[np.uint8]) -> Iterator[bytes]:
    """Yield a zlib stream (RFC 1950) of `values[i]` from `edges[i]` until before `edges[i + 1]`."""
    tail, bits = 0b011, 3  # the last block, fixed codes
    start = b"\x78\x01"
    for begin in range(0, int(edges[-1]), STEP):
        stop = min(begin + STEP, int(edges[-1]))
        first, last = np.searchsorted(edges, begin, "right") - 1, np.searchsorted(edges, stop)
        cut = np.clip(edges[first : last + 1], begin, stop)
        data, tail, bits = _encode(values[first:last].astype(np.int64), np.diff(cut), tail, bits)
        yield start + data
        start = b""
    # 7 zero bits end the block.
    rest = tail.to_bytes((bits + 7 + 7) // 8, "little")
    yield start + rest + struct.pack(">I", adler(edges, values))


def adler(edges: Ints, values: NDArray[np.uint8]) -> int:
    """Return the check sum of RFC 1950 of all bytes, from their runs.

    It is a = 1 + sum of d_i and b = n + sum of (n - i) d_i over the bytes d_0 ... d_(n-1), both
    modulo 65521; over a run n - i is an arithmetic series.
    """
    count, begin, end = int(edges[-1]), edges[:-1], edges[1:]
    value, length = values.astype(np.int64), end - begin
    series = (2 * count - begin - end + 1) * length // 2 % MODULUS
    a = 1 + int((value * length).sum())
    b = count + int((value * series).sum())
    return b % MODULUS << 16 | a % MODULUS


def _encode(value: Ints, lengths: Ints, tail: int, bits: int) -> tuple[bytes, int, int]:
    """Code runs after `bits` < 8 pending bits; return whole bytes and the new pending bits."""
    full, rest = np.divmod(lengths - 1, LONGEST)
    # A run is one code of the value, `full` codes of 258 repetitions, one code of the rest.
    count = full + 2
    last = np.cumsum(count) - 1
    codes = np.full(last[-1] + 1, _LONG, np.int64)
    sizes = np.full(last[-1] + 1, _LONG_BITS, np.int64)
    codes[last - full - 1], sizes[last - full - 1] = _VALUE[value], _VALUE_BITS[value]
    codes[last], sizes[last] = _REST[rest], _REST_BITS[rest]
    for short in (1, 2):
        few = np.flatnonzero(rest == short)
        one, size = _VALUE[value[few]], _VALUE_BITS[value[few]]
        codes[last[few]] = one if short == 1 else one | one << size
        sizes[last[few]] = short * size
    return _pack(codes, sizes, tail, bits)


def _pack(codes: Ints, sizes: Ints, tail: int, bits: int) -> tuple[bytes, int, int]:
    """Put codes of at most 31 bits one after another, the lowest bit first."""
    ends = np.cumsum(sizes) + bits
    starts = ends - sizes
    total = int(ends[-1])
    word, shift = starts >> 5, starts & 31
    wide = codes << shift
    # Bits of different codes never meet, so adding them up (exactly: below 2^53) joins them.
    size = total // 32 + 2
    low = np.bincount(word, wide & 0xFFFFFFFF, size)
    high = np.bincount(word + 1, wide >> 32, size)
    words = (low + high).astype(np.uint64)
    words[0] |= np.uint64(tail)
    data = words.astype("<u4").tobytes()
    whole, left = divmod(total, 8)
    return data[:whole], data[whole] & ((1 << left) - 1), left


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _mirror(code: int, size: int) -> int:
    """Huffman codes are stored from their highest bit."""
    return int(f"{code:0{size}b}"[::-1], 2)


def _values() -> tuple[Ints, Ints]:
    """Codes and their bits of the values 0 to 255."""
    pairs = [(0x30 + v, 8) if v < 144 else (0x190 + v - 144, 9) for v in range(256)]
    return np.array([_mirror(*pair) for pair in pairs]), np.array([size for _, size in pairs])


def _repetitions() -> tuple[Ints, Ints]:
    """Codes and their bits of 0 to 258 repetitions at distance 1; 0 to 2 have none.

    The lengths 3 to 257 are in groups (RFC 1951, 3.2.5): eight of one length, then four each of 2,
    4, ... 32 lengths told apart by extra bits; 258 has its own code. Distance 1 is 5 zero bits.
    """
    codes, sizes = np.zeros(LONGEST + 1, np.int64), np.zeros(LONGEST + 1, np.int64)
    symbol, length = 257, 3
    for extra in [0] * 8 + [n for n in range(1, 6) for _ in range(4)]:
        for more in range(1 << extra):
            if length < LONGEST:
                codes[length], sizes[length] = _repetition(symbol, more, extra)
            length += 1
        symbol += 1
    codes[LONGEST], sizes[LONGEST] = _repetition(285, 0, 0)
    return codes, sizes


def _repetition(symbol: int, more: int, extra: int) -> tuple[int, int]:
    code, size = (symbol - 256, 7) if symbol < 280 else (0xC0 + symbol - 280, 8)
    return _mirror(code, size) | more << size, size + extra + 5


_VALUE, _VALUE_BITS = _values()
_REST, _REST_BITS = _repetitions()
_LONG, _LONG_BITS = int(_REST[LONGEST]), int(_REST_BITS[LONGEST])
