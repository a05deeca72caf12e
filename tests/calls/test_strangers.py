"""Strangers: what they are answered tells them nothing, costs nothing, and nothing that they recorded serves them."""

import re

import pytest

from minitelecom.sip.digest import Challenge, respond
from minitelecom.sip.nonces import NONCE_SECONDS
from tests.calls.scene import DESCRIPTION, WrittenCaller, tail
from tests.calls.story import LONDON, settle
from tests.world.house import EXCHANGE, House
from tests.world.party import Behaviour
from tests.world.wire import Text, Wire

OLD = "User-Agent: Grandstream HT286 1.0.8.32\n"


class WrittenTelephone(Wire):
    """Says that it is ``name``, and knows the password or does not."""

    name = "101"
    password = "secret-101"
    agent = "User-Agent: Softphone 5\n"
    call_id = "written"
    sequence = 0

    def ask(self, method: str, uri: str = "sip:10.0.0.1", lines: str = "", body: str = "") -> Text:
        """A request, and what is answered."""
        self.sequence += 1
        to = uri if method == "INVITE" else f"sip:{self.name}@10.0.0.1"
        self.send(
            f"{method} {uri} SIP/2.0\nVia: SIP/2.0/UDP {self.host}:{self.port};branch=z9hG4bK-{self.sequence}\n"
            f"Max-Forwards: 70\nFrom: <sip:{self.name}@10.0.0.1>;tag=near\nTo: <{to}>\nCall-ID: {self.call_id}\n"
            f"CSeq: {self.sequence} {method}\nContact: <sip:{self.name}@{self.host}:{self.port}>\n"
            + tail(self.agent + lines, body)
        )
        self._wait()
        return [text for text in self.heard if text["cseq"] == f"{self.sequence} {method}"][-1]

    def _wait(self) -> None:
        for _ in range(10):
            self.network.clock.advance(0.05)

    def credentials(self, challenge: Text, method: str, uri: str, count: int = 1, which: int = 0) -> str:
        name = "www-authenticate" if challenge.status == 401 else "proxy-authenticate"
        asked = Challenge.parse(challenge.all(name)[which])
        header = "Authorization" if challenge.status == 401 else "Proxy-Authorization"
        given = respond(asked, self.name, self.password, method, uri, cnonce="c", count=count)
        return f"{header}: {given}\n"

    def register(self) -> Text:
        """With what it takes."""
        challenge = self.ask("REGISTER")
        return self.ask("REGISTER", lines=self.credentials(challenge, "REGISTER", "sip:10.0.0.1"))

    def repeat(self, message: str | bytes) -> Text:
        self.send(message)
        self._wait()
        return self.heard[-1]


def without_chance(text: Text) -> tuple[str, ...]:
    """A response but for what is different each time, and the name that came in the question."""
    shown = (text.start, *(f"{name}: {value}" for name, value in text.headers), text.body)
    hidden = re.compile(r'nonce="[0-9a-f]+"|tag=[0-9a-f]{8,}|sip:(?:101|gateway|nobody)@')
    return tuple(hidden.sub("…", line) for line in shown)


ASKED = [
    ("REGISTER", "sip:10.0.0.1", "", ""),
    ("INVITE", "sip:101@10.0.0.1", "", DESCRIPTION),
    ("INVITE", "sip:nobody@10.0.0.1", "", DESCRIPTION),
    ("OPTIONS", "sip:101@10.0.0.1", "", ""),
    ("OPTIONS", "sip:nobody@10.0.0.1", "", ""),
    ("SUBSCRIBE", "sip:101@10.0.0.1", "Event: message-summary\n", ""),
    ("MESSAGE", "sip:101@10.0.0.1", "", ""),
]


@pytest.mark.parametrize("agent", [OLD, "User-Agent: Softphone 5\n", ""])
def test_who_exists_is_not_told(house: House, agent: str) -> None:
    """A telephone with a password, one known by its address, and a name that nobody has: asked for, and guessed at."""
    house.telephone("101", "10.0.0.11")
    house.gateway("gateway", "10.0.0.50")
    house.open()

    def told(name: str) -> list[tuple[str, ...]]:
        stranger = WrittenTelephone(house.network, EXCHANGE, "203.0.113.9")
        stranger.name, stranger.password, stranger.agent = name, "guess", agent
        heard = []
        for method, uri, lines, body in ASKED:
            asked = stranger.ask(method, uri, lines, body)
            heard.append(asked)
            if asked.status in (401, 407):
                heard.append(stranger.ask(method, uri, lines + stranger.credentials(asked, method, uri), body))
        house.pass_(40, step=1)
        return [without_chance(text) for text in heard]

    answers = [told(name) for name in ("101", "gateway", "nobody")]
    assert answers[0] == answers[1] == answers[2]
    assert len(answers[0]) > len(ASKED)


def test_an_empty_password_opens_nothing(house: House) -> None:
    """A telephone that is known by its address has none, and a name that nobody has has none either."""
    house.gateway("gateway", "10.0.0.50")
    house.open()
    for name in ("gateway", "nobody"):
        stranger = WrittenTelephone(house.network, EXCHANGE, "203.0.113.9")
        stranger.name, stranger.password, stranger.call_id = name, "", name
        assert stranger.register().status == 403


def test_ten_thousand_strangers_leave_nothing_behind(house: House) -> None:
    """Each is challenged or ignored, none is remembered."""
    house.open()
    before = house.exchange.counters()
    for stranger in range(10_000):
        address = f"198.{18 + stranger // 65_536}.{stranger // 256 % 256}.{stranger % 256}"
        caller = WrittenCaller(house.network, EXCHANGE, address)
        caller.ask(number=LONDON, call_id=f"flood-{stranger}", body=DESCRIPTION)
        caller.unplug()
        if stranger % 100 == 0:
            house.pass_(0.05)
    house.pass_(0.2)
    assert house.exchange.counters() | {"uptime_seconds": 0} == before | {"uptime_seconds": 0}


def test_a_stranger_who_acknowledges_and_one_who_gives_up(house: House) -> None:
    """There is nothing to end: both are as if they had never called."""
    house.open()
    caller = WrittenCaller(house.network, EXCHANGE, "203.0.113.9")
    caller.ask(number=LONDON, body=DESCRIPTION)
    house.pass_(0.1)
    caller.ask("ACK", LONDON)
    caller.ask(number=LONDON, call_id="again", body=DESCRIPTION)
    caller.ask("CANCEL", LONDON, call_id="again")
    house.pass_(1)
    assert caller.statuses() == [407]
    assert caller.statuses("CANCEL") == [481]
    settle(house, 1)


def test_an_invite_that_comes_again_is_challenged_again(house: House) -> None:
    """The first answer was lost: the second has the same tag (RFC 3261 section 8.2.7)."""
    house.open()
    caller = WrittenCaller(house.network, EXCHANGE, "203.0.113.9")
    for _ in range(2):
        caller.ask(number=LONDON, to_tag="", body=DESCRIPTION)
        house.pass_(0.6)
    assert [text.status for text in caller.heard] == [407, 407]
    assert caller.heard[0]["to"] == caller.heard[1]["to"]


# No open relay.


def test_a_carrier_calls_nobody_through_us(house: House) -> None:
    """From a carrier's address only what it delivers to us leads anywhere."""
    telephone = house.telephone("101", "10.0.0.11", house.card())
    house.open()
    telephone.register()
    house.pass_(1)
    caller = WrittenCaller(house.network, EXCHANGE, house.carrier.host)
    for number in (LONDON, "442071234567", "101", "100", "+442071234567"):
        caller.ask(number=number, call_id=number, body=DESCRIPTION)
        house.pass_(1)
        assert caller.statuses()[-1] == 404
        caller.ask("ACK", number, call_id=number)
    assert caller.requests("INVITE") == []
    assert telephone.calls == []
    settle(house)


def test_a_stranger_calls_nobody(house: House) -> None:
    """Whoever he says he is, and whatever he dials."""
    telephone = house.telephone("101", "10.0.0.11", house.card())
    house.open()
    telephone.register()
    house.pass_(1)
    stranger = WrittenTelephone(house.network, EXCHANGE, "203.0.113.9")
    for stranger.name in ("101", "carrier", "anonymous"):
        for number in (LONDON, "101", "100", "35921234567"):
            assert stranger.ask("INVITE", f"sip:{number}@10.0.0.1", body=DESCRIPTION).status == 407
    house.pass_(2)
    assert telephone.calls == house.carrier.calls == []
    assert house.records() == []


# What was recorded.


def test_a_recorded_call_cannot_be_made_again(house: House) -> None:
    """By an old telephone, which knows no qop: not from elsewhere, not from its own address, not for another number."""
    card = house.card("1.00")
    house.telephone("101", "10.0.0.11", card)
    house.open()
    house.carrier.usual = Behaviour(answer_after=0.1, talk_seconds=1)
    telephone = WrittenTelephone(house.network, EXCHANGE, "10.0.0.21")
    telephone.agent = OLD
    uri = f"sip:{LONDON}@10.0.0.1"
    challenge = telephone.ask("INVITE", uri, body=DESCRIPTION)
    telephone.ask("INVITE", uri, telephone.credentials(challenge, "INVITE", uri), DESCRIPTION)
    recorded = next(data for data in reversed(house.network.carried) if b"Proxy-Authorization" in data)
    house.pass_(40)
    assert len(house.records()) == 1
    elsewhere = Wire(house.network, EXCHANGE, "203.0.113.9")
    elsewhere.send(recorded)
    assert telephone.repeat(recorded).status == 407
    house.pass_(1)
    assert [text.status for text in elsewhere.heard] == [407]
    changed = recorded.replace(b"Call-ID: written", b"Call-ID: forged")
    assert telephone.repeat(changed).status == 407
    other = changed.replace(f"INVITE sip:{LONDON}".encode(), b"INVITE sip:00493012345678").replace(
        b"z9hG4bK-2", b"z9hG4bK-3"
    )
    assert telephone.repeat(other).status == 403
    house.pass_(1)
    assert len(house.records()) == 1


@pytest.mark.parametrize("agent", [OLD, ""])
def test_a_telephone_that_signs_for_its_proxy_must_count(house: House, agent: str) -> None:
    """The URI of its credentials names the house and nobody there; without a count they would serve for every number."""
    house.telephone("101", "10.0.0.11", house.card("1.00"))
    house.open()
    house.carrier.usual = Behaviour(answer_after=0.1, talk_seconds=1)
    telephone = WrittenTelephone(house.network, EXCHANGE, "10.0.0.21")
    telephone.agent = agent
    challenge = telephone.ask("INVITE", f"sip:{LONDON}@10.0.0.1", body=DESCRIPTION)
    signed = telephone.credentials(challenge, "INVITE", "sip:10.0.0.1:5060")
    telephone.ask("INVITE", f"sip:{LONDON}@10.0.0.1", signed, DESCRIPTION)
    house.pass_(40)
    called = [record.called_number for record in house.records()]
    assert called == ([] if agent == OLD else ["442071234567"])
    again = telephone.ask("INVITE", "sip:00493012345678@10.0.0.1", signed, DESCRIPTION)
    assert again.status == (403 if agent == OLD else 407)
    house.pass_(1)
    assert [record.called_number for record in house.records()] == called


def test_a_recorded_registration_serves_nobody_elsewhere(house: House) -> None:
    house.telephone("101", "10.0.0.11")
    house.open()
    telephone = WrittenTelephone(house.network, EXCHANGE, "10.0.0.21")
    telephone.agent = OLD
    assert telephone.register().status == 200
    recorded = next(data for data in reversed(house.network.carried) if b"\r\nAuthorization" in data)
    elsewhere = Wire(house.network, EXCHANGE, "203.0.113.9")
    elsewhere.send(recorded.replace(b"10.0.0.21", b"203.0.113.9"))
    house.pass_(1)
    assert [text.status for text in elsewhere.heard] == [401]
    assert [one.source.host for one in house.exchange.directory.contacts("101", house.now())] == ["10.0.0.21"]


def test_a_recorded_registration_with_qop_serves_nobody_anywhere(house: House) -> None:
    """Not even from the same address, with another Contact and as if it were the next."""
    house.telephone("101", "10.0.0.11")
    house.open()
    telephone = WrittenTelephone(house.network, EXCHANGE, "10.0.0.21")
    assert telephone.register().status == 200
    recorded = next(data for data in reversed(house.network.carried) if b"\r\nAuthorization" in data)
    forged = recorded.replace(b"Contact: <sip:101@10.0.0.21", b"Contact: <sip:101@10.0.0.66")
    forged = forged.replace(b"z9hG4bK-2", b"z9hG4bK-9").replace(b"CSeq: 2 ", b"CSeq: 9 ")
    answer = telephone.repeat(forged)
    assert answer.status == 401
    assert "stale=true" in answer["www-authenticate"]
    contacts = house.exchange.directory.contacts("101", house.now())
    assert [contact.contact for contact in contacts] == ["sip:101@10.0.0.21:5060"]


def test_an_old_telephone_registers_with_one_nonce_until_it_is_stale(house: House) -> None:
    """It sends the same credentials again and again, and hears `stale` when they have had their time."""
    house.telephone("101", "10.0.0.11")
    house.open()
    telephone = WrittenTelephone(house.network, EXCHANGE, "10.0.0.21")
    telephone.agent = OLD
    lines = telephone.credentials(telephone.ask("REGISTER"), "REGISTER", "sip:10.0.0.1")
    for _ in range(9):
        assert telephone.ask("REGISTER", lines=lines).status == 200
        house.pass_(30, step=1)
    house.pass_(NONCE_SECONDS - 9 * 30, step=1)
    again = telephone.ask("REGISTER", lines=lines)
    assert again.status == 401
    assert "stale=true" in again["www-authenticate"]
    assert telephone.ask("REGISTER", lines=telephone.credentials(again, "REGISTER", "sip:10.0.0.1")).status == 200


@pytest.mark.parametrize(("which", "algorithm"), [(0, "SHA-256"), (1, "MD5")])
def test_a_telephone_of_today_chooses_between_two_challenges(house: House, which: int, algorithm: str) -> None:
    """And counts on with the nonce it has: to its calls, too, for as long as it is fresh."""
    house.telephone("101", "10.0.0.11", house.card("1.00"))
    house.open()
    house.carrier.usual = Behaviour(answer_after=0.1, talk_seconds=1)
    telephone = WrittenTelephone(house.network, EXCHANGE, "10.0.0.21")
    telephone.agent = "User-Agent: LinphoneDesktop/5.2.4 (debian) LinphoneSDK/5.3.47\n"
    challenge = telephone.ask("REGISTER")
    assert f"algorithm={algorithm}" in challenge.all("www-authenticate")[which]
    for count in (1, 2, 0xD1B):
        lines = telephone.credentials(challenge, "REGISTER", "sip:10.0.0.1", count, which)
        assert telephone.ask("REGISTER", lines=lines).status == 200
    uri = f"sip:{LONDON}@10.0.0.1"
    lines = telephone.credentials(challenge, "INVITE", uri, 0xD1C, which).replace(
        "Authorization", "Proxy-Authorization"
    )
    telephone.ask("INVITE", uri, lines, DESCRIPTION)
    house.pass_(1)
    assert telephone.statuses()[-1] == 200


@pytest.mark.parametrize("host", ["10.0.0.1", "::1:5060", "[::1", "10.0.0.1:99999"])
@pytest.mark.parametrize(("user", "status"), [(LONDON + "@", 200), ("", 200), ("0035931@", 403)])
def test_the_uri_of_credentials_is_read_for_the_name_alone(house: House, host: str, user: str, status: int) -> None:
    """SIPp writes an IPv6 address there without its brackets: no harm, as long as nobody else is named."""
    house.telephone("101", "10.0.0.200", house.card("1.00"))
    house.open()
    house.carrier.usual = Behaviour(answer_after=0.1, talk_seconds=1)
    telephone = WrittenTelephone(house.network, EXCHANGE, "10.0.0.11")
    challenge = telephone.ask("INVITE", f"sip:{LONDON}@10.0.0.1", body=DESCRIPTION)
    lines = telephone.credentials(challenge, "INVITE", f"sip:{user}{host}")
    telephone.ask("INVITE", f"sip:{LONDON}@10.0.0.1", lines, DESCRIPTION)
    house.pass_(1)
    assert telephone.statuses()[-1] == status
    assert len(house.records()) == (status == 200)
