"""
A house whose wires are listened to: what each side of a flow saw, message by message, as the RFCs draw it.

The switch stands where the RFCs have their proxies. It has a dialog of its own with each side, so a flow is told once for
the side that calls and once for the one that is called.
"""

from random import Random

from twisted.internet.task import Clock

from minitelecom.sip.hop import Hop
from tests.world.house import EXCHANGE, House
from tests.world.network import Network
from tests.world.wire import Text, parameter


class WiretappedNetwork(Network):
    """Remembers every message between the switch and somebody, in the order of their sending."""

    def __init__(self, clock: Clock, random: Random, **troubles: float) -> None:
        super().__init__(clock, random, **troubles)
        self.passed: list[tuple[str, str, Text]] = []
        """(who is not the switch, an arrow seen from there, what was said)."""
        self.all_passed: list[tuple[str, str, Text]] = []

    def _carry(self, data: bytes, source: Hop, hop: Hop) -> None:
        outward = source.host == EXCHANGE.host
        said = (hop.host if outward else source.host, "<-" if outward else "->", Text.read(data, source))
        self.passed.append(said)
        self.all_passed.append(said)
        super()._carry(data, source, hop)


class FlowHouse(House):
    network_kind = WiretappedNetwork
    network: WiretappedNetwork

    def messages(self, host: str) -> list[Text]:
        """All that this host sent and heard."""
        return [text for found, _, text in self.network.passed if found == host]

    def saw(self, host: str) -> str:
        """
        The same as a ladder, one line a message; a session description is marked.

        Without 100: it goes one hop only, and only if nothing else comes within 200 ms (RFC 3261 17.2.1).
        """
        between = [(arrow, text) for found, arrow, text in self.network.passed if found == host]
        return "\n".join(line(arrow, text) for arrow, text in between if text.status != 100)

    def forget(self) -> None:
        """What comes from now on is the flow."""
        self.network.passed.clear()


def line(arrow: str, text: Text) -> str:
    said = f"{text.status} {text.method}" if text.is_response else text.method
    return f"{arrow} {said}{' (SDP)' if 'm=audio' in text.body else ''}"


def ladder(drawn: str) -> str:
    """A ladder as a test draws it: indented, with empty lines where a new paragraph begins."""
    return "\n".join(stripped for one in drawn.splitlines() if (stripped := one.strip()))


# --- the laws of every flow -------------------------------------------------------------------------------------------


def check_laws(passed: list[tuple[str, str, Text]]) -> None:
    """What RFC 3261 asks of any messages between two parties, whatever the flow."""
    for host in {host for host, _, _ in passed}:
        between = [(arrow, text) for found, arrow, text in passed if found == host]
        for place, (arrow, text) in enumerate(between):
            before = between[:place]
            if text.is_response:
                check_response(arrow, text, before)
            elif text.method == "ACK":
                check_ack(arrow, text, before)
            else:
                check_request(arrow, text, before)


def check_response(arrow: str, response: Text, before: list[tuple[str, Text]]) -> None:
    """8.2.6.2: it repeats Via, From, To, Call-ID and CSeq of a request that came the other way."""
    asked = [text for way, text in before if way != arrow and not text.is_response and is_answer_to(response, text)]
    assert asked, response
    request = asked[-1]
    assert response["from"] == request["from"], (response["from"], request["from"])
    assert response["to"].startswith(request["to"]), (response["to"], request["to"])
    assert len(response.all("via")) == len(request.all("via"))


def is_answer_to(response: Text, request: Text) -> bool:
    """17.1.3, and the Call-ID."""
    return (
        branch(response) == branch(request)
        and response["cseq"] == request["cseq"]
        and response["call-id"] == request["call-id"]
    )


def check_ack(arrow: str, ack: Text, before: list[tuple[str, Text]]) -> None:
    """17.1.1.3 and 13.2.2.4: it follows the final response to an INVITE of the same number, whose branch is its own or not."""
    finals = [
        text
        for way, text in before
        if way != arrow and text.method == "INVITE" and text.status >= 200 and text["call-id"] == ack["call-id"]
    ]
    final = next(text for text in reversed(finals) if text.sequence == ack.sequence)
    assert (branch(ack) == branch(final)) == (final.status >= 300), (ack, final)
    assert parameter(ack["to"], "tag") == parameter(final["to"], "tag")


def check_request(arrow: str, request: Text, before: list[tuple[str, Text]]) -> None:
    """8.1.1.5 and 12.2.1.1: within one Call-ID the numbers of one side rise, but for CANCEL and what is sent again."""
    earlier = [
        text for way, text in before if way == arrow and not text.is_response and text["call-id"] == request["call-id"]
    ]
    assert int(request["max-forwards"] or 70) > 0
    if request.method == "CANCEL":
        assert any(branch(text) == branch(request) and text.method == "INVITE" for text in earlier)
        return
    if any(branch(text) == branch(request) and text.method == request.method for text in earlier):
        return
    assert all(text.sequence < request.sequence for text in earlier if text.method != "ACK"), request


def branch(text: Text) -> str:
    return parameter(text.all("via")[0], "branch") or ""
