"""Random numbers and the order of data as pure functions: the same for NumPy, kernels and GPU.

All arithmetic below is on unsigned 32-bit integers, wrapping, unless said otherwise; `hi(p)` and
`lo(p)` are the upper and lower half of a 64-bit product. A kernel transcribes these lines.

Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3")::

    (c0, c1, c2, c3) = (step, block, 0, 0);  (k0, k1) = (seed, stream)
    10 times:
        p = 0xD2511F53 * c0;  q = 0xCD9E8D57 * c2              (64-bit products)
        (c0, c1, c2, c3) = (hi(q) ^ c1 ^ k0, lo(q), hi(p) ^ c3 ^ k1, lo(p))
        k0 += 0x9E3779B9;  k1 += 0xBB67AE85

Element `e` of a stream reads block `e // 4`, lane `e % 4` of (c0, c1, c2, c3)::

    uniform(e) = (lane >> 8) * 2**-24                          in [0, 1), exact in float32

Normal numbers come in pairs from neighbouring lanes (a, b): (c0, c1) and (c2, c3)
(Box and Muller 1958), `e` even takes the cosine, `e` odd the sine::

    radius = sqrt(-2 * log(((a >> 8) + 1) * 2**-24));  angle = 2 * pi * (b >> 8) * 2**-24
    normal(e) = radius * cos(angle)   or   radius * sin(angle)

Order of data: the row at `position` of an epoch, for `rows` < 2**32, is a keyed Feistel network
with cycle walking over the next power of two. The four lanes (r0, r1, r2, r3) of Philox block 0
with key (seed, 0xDA7A0DE5) and step = epoch are the keys of the four rounds::

    bits = max(2, number of bits of rows - 1);  low = bits // 2;  high = bits - low
    x = position
    do:
        left = x >> low;  right = x & (2**low - 1)
        left  ^= mix(right ^ r0) & (2**high - 1)
        right ^= mix(left  ^ r1) & (2**low - 1)
        left  ^= mix(right ^ r2) & (2**high - 1)
        right ^= mix(left  ^ r3) & (2**low - 1)
        x = left << low | right
    while x >= rows

    mix(v):  v *= 0x7FEB352D;  v ^= v >> 15;  v *= 0x846CA68B;  v ^= v >> 16
"""

from __future__ import annotations

import zlib

import numpy as np

MASK = 0xFFFFFFFF
PHILOX_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
PHILOX_INCREMENTS = (0x9E3779B9, 0xBB67AE85)
PHILOX_ROUNDS = 10
MIX_MULTIPLIERS = (0x7FEB352D, 0x846CA68B)
SHUFFLE_STREAM = 0xDA7A0DE5
BEFORE_TRAINING = MASK
"""The step that draws start values: no training step has this number."""

UNIT = 2.0**-24


def philox(counter: tuple[np.ndarray, ...], key: tuple[int, int]) -> tuple[np.ndarray, ...]:
    """Philox4x32-10 of four counter words (uint64 arrays below 2**32), as four such arrays."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    thirty_two, mask = np.uint64(32), np.uint64(MASK)
    m0, m1 = (np.uint64(m) for m in PHILOX_MULTIPLIERS)
    for _ in range(PHILOX_ROUNDS):
        p, q = m0 * c0, m1 * c2
        c0, c1, c2, c3 = (
            (q >> thirty_two) ^ c1 ^ np.uint64(k0),
            q & mask,
            (p >> thirty_two) ^ c3 ^ np.uint64(k1),
            p & mask,
        )
        k0, k1 = (k0 + PHILOX_INCREMENTS[0]) & MASK, (k1 + PHILOX_INCREMENTS[1]) & MASK
    return c0, c1, c2, c3


def random_bits(seed: int, stream: int, step: int, count: int, first: int = 0) -> np.ndarray:
    """Lanes of the elements `first` ... `first + count - 1`: uint64 array below 2**32."""
    blocks = np.arange(first // 4, (first + count + 3) // 4, dtype=np.uint64)
    zeros = np.zeros_like(blocks)
    counter = (zeros + np.uint64(step & MASK), blocks, zeros, zeros)
    lanes = np.stack(philox(counter, (seed & MASK, stream & MASK)), axis=-1).reshape(-1)
    return lanes[first % 4 : first % 4 + count]


def uniform_block(seed: int, stream: int, step: int, count: int, first: int = 0) -> np.ndarray:
    """`count` uniform numbers in [0, 1), float64 [count], each exact in float32."""
    bits = random_bits(seed, stream, step, count, first)
    return (bits >> np.uint64(8)).astype(np.float64) * UNIT


def normal_block(seed: int, stream: int, step: int, count: int, first: int = 0) -> np.ndarray:
    """`count` standard normal numbers by Box and Muller, float64 [count], at most 5.8 in size."""
    start = first - first % 2
    pairs = uniform_block(seed, stream, step, count + (first - start) + 1, start)
    pairs = pairs[: len(pairs) // 2 * 2].reshape(-1, 2)
    radius = np.sqrt(-2.0 * np.log(pairs[:, 0] + UNIT))
    angle = 2.0 * np.pi * pairs[:, 1]
    numbers = np.stack((radius * np.cos(angle), radius * np.sin(angle)), axis=-1).reshape(-1)
    return numbers[first - start : first - start + count]


def uniforms_of(
    seed: int, stream: int, step: int, elements: np.ndarray, count: int, part: int = 0
) -> np.ndarray:
    """`count` uniform numbers for each of some elements, float64 [len(elements), count].

    Number j of element e is lane j % 4 of the block with the counter (step, j // 4, e, part): it
    depends on nothing else that is drawn.
    """
    lanes = lanes_of(seed, stream, step, elements, (count + 3) // 4, part)
    numbers: np.ndarray = (lanes >> np.uint64(8)).astype(np.float64) * UNIT
    return numbers[:, :count]


def lanes_of(
    seed: int, stream: int, step: int, elements: np.ndarray, blocks: int, part: int = 0
) -> np.ndarray:
    """The lanes of the first blocks of some elements: uint64 [len(elements), 4 * blocks]."""
    block = np.broadcast_to(np.arange(blocks, dtype=np.uint64), (len(elements), blocks))
    element = np.broadcast_to(elements.astype(np.uint64)[:, None], block.shape)
    constants = (np.full(block.shape, word & MASK, np.uint64) for word in (step, part))
    first, last = constants
    lanes = philox((first, block, element, last), (seed & MASK, stream & MASK))
    return np.stack(lanes, axis=-1).reshape(len(elements), 4 * blocks)


class Stream:
    """Random numbers of one stream, drawn one after the other before training starts.

    Two streams of equal seed and number give equal numbers; `vocab.kinds.Draw` is its protocol.
    """

    def __init__(self, seed: int, stream: int) -> None:
        self.seed = seed
        self.stream = stream
        self._position = 0

    def uniform(self, count: int) -> np.ndarray:
        """The next `count` numbers in [0, 1), float64."""
        first = self._advance(count)
        return uniform_block(self.seed, self.stream, BEFORE_TRAINING, count, first)

    def normal(self, count: int) -> np.ndarray:
        """The next `count` standard normal numbers, float64."""
        first = self._advance(count)
        return normal_block(self.seed, self.stream, BEFORE_TRAINING, count, first)

    def _advance(self, count: int) -> int:
        first = self._position
        self._position += (count + 3) // 4 * 4  # whole blocks: normal numbers come in pairs
        return first


def stream_of(name: str) -> int:
    """The number of the stream that belongs to a name: its CRC-32."""
    return zlib.crc32(name.encode("utf-8"))


def round_keys(seed: int, epoch: int) -> tuple[int, int, int, int]:
    """The four round keys of an epoch's order."""
    r0, r1, r2, r3 = (int(lane) for lane in random_bits(seed, SHUFFLE_STREAM, epoch, 4))
    return r0, r1, r2, r3


def permutation(rows: int, seed: int, epoch: int) -> np.ndarray:
    """The order of an epoch: int64 [rows], each of 0 ... rows - 1 once."""
    keys = round_keys(seed, epoch)
    order = _encrypt(np.arange(rows, dtype=np.uint32), rows, keys)
    outside = np.flatnonzero(order >= rows)
    while outside.size:
        order[outside] = _encrypt(order[outside], rows, keys)
        outside = outside[order[outside] >= rows]
    return order.astype(np.int64)


def _encrypt(x: np.ndarray, rows: int, keys: tuple[int, int, int, int]) -> np.ndarray:
    low, high = feistel_bits(rows)
    low_mask, high_mask = np.uint32((1 << low) - 1), np.uint32((1 << high) - 1)
    left, right = x >> np.uint32(low), x & low_mask
    for first, second in (keys[:2], keys[2:]):
        left = left ^ (_mix(right ^ np.uint32(first)) & high_mask)
        right = right ^ (_mix(left ^ np.uint32(second)) & low_mask)
    return left << np.uint32(low) | right


def _mix(v: np.ndarray) -> np.ndarray:
    v = v * np.uint32(MIX_MULTIPLIERS[0])
    v = v ^ (v >> np.uint32(15))
    v = v * np.uint32(MIX_MULTIPLIERS[1])
    mixed: np.ndarray = v ^ (v >> np.uint32(16))
    return mixed


def feistel_bits(rows: int) -> tuple[int, int]:
    """Widths of the lower and the upper half of the network's block."""
    bits = max(2, (rows - 1).bit_length())
    return bits // 2, bits - bits // 2
