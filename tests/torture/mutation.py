"""Damaged messages, by a seed: what a fuzzer, a bad memory chip or an enemy would send."""

from collections.abc import Callable, Sequence
from random import Random

SPICES = (
    *(b"\r\n", b"\r", b"\n", b"\r\n ", b"\r\n\r\n", b'"', b"<", b">", b",", b";", b":", b"\\", b"%", b"%00", b"%0d%0a"),
    *(
        b"=",
        b"@",
        b"\0",
        b"\xff",
        b"\xc3\x28",
        b"*",
        b"[",
        b"]",
        b"[::1]",
        b"?",
        b" ",
        b"\t",
        b"-1",
        b"0",
        b"4294967296",
    ),
    *(b"SIP/2.0", b"INVITE ", b"ACK ", b"Via: ", b"v:", b";tag=", b";branch=z9hG4bK", b"99999999999", b"\xd0\xb8"),
    *(
        b"Require: x\r\n",
        b"Max-Forwards: 0\r\n",
        b"Content-Length: 5\r\n",
        b"l: 99999\r\n",
        b"Contact: *\r\n",
        b"sips:",
    ),
    *(b"a=inactive\r\n", b"m=audio 0 RTP/AVP 8\r\n", b"c=IN IP4 0.0.0.0\r\n", b"m=image 9 udptl t38\r\n", b"tel:+1"),
)


def spice(random: Random, data: bytearray, others: Sequence[bytes]) -> None:
    place, length = random.randrange(len(data) + 1), random.choice((0, 0, 1, 3, 12))
    data[place : place + length] = random.choice(SPICES)


def scatter(random: Random, data: bytearray, others: Sequence[bytes]) -> None:
    for _ in range(random.randrange(1, 8)):
        if data:
            data[random.randrange(len(data))] = random.randrange(256)


def cut(random: Random, data: bytearray, others: Sequence[bytes]) -> None:
    del data[random.randrange(len(data) + 1) :]


def leave_out(random: Random, data: bytearray, others: Sequence[bytes]) -> None:
    lines = bytes(data).split(b"\r\n")
    del lines[random.randrange(len(lines))]
    data[:] = b"\r\n".join(lines)


def double(random: Random, data: bytearray, others: Sequence[bytes]) -> None:
    lines = bytes(data).split(b"\r\n")
    place = random.randrange(len(lines))
    lines[place:place] = [lines[place]] * random.choice((1, 1, 2, 150))
    data[:] = b"\r\n".join(lines)


def exchange_lines(random: Random, data: bytearray, others: Sequence[bytes]) -> None:
    """A line of another message in place of one of this."""
    lines, foreign = bytes(data).split(b"\r\n"), random.choice(others).split(b"\r\n")
    lines[random.randrange(len(lines))] = random.choice(foreign)
    data[:] = b"\r\n".join(lines)


def count(random: Random, data: bytearray, others: Sequence[bytes]) -> None:
    """Another number where one stands."""
    digits = [place for place, byte in enumerate(data) if 0x30 <= byte <= 0x39]
    if digits:
        place = random.choice(digits)
        data[place : place + 1] = random.choice(
            (b"", b"0", b"9", b"999999999", b"-1", b"65536", b"4294967295", b"1" * 400)
        )


def stretch(random: Random, data: bytearray, others: Sequence[bytes]) -> None:
    place = random.randrange(len(data) + 1)
    data[place:place] = random.choice((b"a", b" ", b";a=b", b"0", b"\\", b"%61", b"<", b'"')) * random.choice(
        (50, 3000)
    )


WAYS: tuple[Callable[[Random, bytearray, Sequence[bytes]], None], ...] = (
    *(spice, spice, spice, scatter, cut, leave_out, double, exchange_lines, exchange_lines, count, count, stretch),
)


def mutate(random: Random, message: bytes, others: Sequence[bytes]) -> bytes:
    """One to three kinds of damage."""
    data = bytearray(message)
    for _ in range(random.choice((1, 1, 2, 3))):
        random.choice(WAYS)(random, data, others)
    return bytes(data[:65507])
