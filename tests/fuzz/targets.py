"""
What a fuzzer may throw anything at, and what has to hold whatever it throws: one error at most, and what was read is written
so that it reads the same.
"""

from collections.abc import Callable

from minitelecom.sip import digest, sdp
from minitelecom.sip.grammar import BadSyntax
from minitelecom.sip.message import MalformedMessage, parse
from minitelecom.sip.offer_answer import Negotiation, NotAcceptable
from minitelecom.sip.sdp import MalformedDescription
from tests.sip.test_round_trips import told
from tests.torture.test_mutations import use


def message(data: bytes) -> None:
    """A datagram, through everything that is done with it before its meaning is known."""
    use(data)
    try:
        read = parse(data)
    except MalformedMessage:
        return
    read.set("X-Fuzzed", "yes")  # what nobody changed is written as it came
    assert told(parse(read.encode())) == told(read)


def description(data: bytes) -> None:
    """A session description, as an offer, as an answer to ours, and as an offer within a session."""
    try:
        read = sdp.parse(data)
    except MalformedDescription:
        return
    assert sdp.parse(read.encode()) == read
    answering = Negotiation("192.0.2.1", 16384, 1)
    for _ in range(2):
        try:
            answer, _ = answering.answer(data)
        except NotAcceptable:
            break
        assert len(sdp.parse(answer).media) == len(read.media)
    offering = Negotiation("192.0.2.1", 16384, 1)
    offering.offer()
    try:
        offering.accept_answer(data)
    except NotAcceptable:
        assert offering.remote is None


def credentials(data: bytes) -> None:
    """Challenges, which we answer, and credentials, which we verify."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        challenge = digest.Challenge.parse(text)
    except BadSyntax:
        pass
    else:
        ours = digest.respond(challenge, "user", "password", "INVITE", "sip:a@b", cnonce="c")
        assert digest.Credentials.parse(str(ours)) == ours
    try:
        theirs = digest.Credentials.parse(text)
    except BadSyntax:
        return
    assert digest.verify(theirs, "0" * 32, "INVITE") is False


TARGETS: dict[str, Callable[[bytes], None]] = {
    "message": message,
    "description": description,
    "digest": credentials,
}
