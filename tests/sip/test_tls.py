"""TLS between two ends in memory: who is believed, what is not spoken, and certificates that are renewed."""

from pathlib import Path
from random import Random

import pytest
from OpenSSL import SSL
from twisted.internet.task import Clock

from minitelecom.sip.framing import Broken
from minitelecom.sip.hop import Hop
from minitelecom.sip.streams import CONNECT_SECONDS, FIRST_SECONDS, LOOK_SECONDS, Streams
from minitelecom.sip.tls import BadCertificate, Identity, Tls
from tests.world.certificates import Authority
from tests.world.streams import StreamNetwork

OURS, CARRIER = "198.51.100.1", "192.0.2.9"
DOMAIN = "sip.carrier.example"
THERE = Hop("tls", CARRIER, 5061, DOMAIN)
MESSAGE = b"OPTIONS sip:shop SIP/2.0\r\nContent-Length: 0\r\n\r\n"


class Ear:
    def __init__(self) -> None:
        self.heard: list[tuple[bytes, Hop]] = []
        self.lost: list[Hop] = []

    def datagram_received(self, data: bytes, source: Hop) -> None:
        self.heard.append((data, source))

    def stream_broken(self, broken: Broken, source: Hop) -> None: ...

    def connection_lost(self, hop: Hop) -> None:
        self.lost.append(hop)


class Wire:
    """Us, and a carrier that listens."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.network = StreamNetwork(self.clock, Random(5))
        self.authority = Authority(folder)
        self.ours, self.theirs = Ear(), Ear()
        self.us = self.end(OURS, Tls(self.clock, None, self.authority.file), self.ours)

    def end(self, host: str, tls: Tls, ear: Ear) -> Streams:
        streams = Streams(self.network.host(host), self.clock, {"tls": tls})
        streams.receiver, streams.needed = ear, lambda hop: False
        return streams

    def carrier(self, identity: Identity) -> Streams:
        there = self.end(CARRIER, Tls(self.clock, identity), self.theirs)
        there.listen("tls", CARRIER, 5061)
        return there

    def wait(self, seconds: float = 1.0) -> None:
        for _ in range(round(seconds * 64)):
            self.clock.advance(1 / 64)

    def ask(self, hop: Hop = THERE) -> bool:
        """Whether a message of ours arrives there."""
        before = len(self.theirs.heard)
        self.us.send(MESSAGE, hop)
        self.wait()
        return len(self.theirs.heard) > before


@pytest.fixture
def wire(tmp_path):
    return Wire(tmp_path)


def test_both_ways_by_one_connection(wire):
    there = wire.carrier(wire.authority.identity(DOMAIN))
    assert wire.ask()
    (data, source) = wire.theirs.heard[0]
    assert (data, source.transport, source.theirs) == (MESSAGE, "tls", True)
    assert MESSAGE not in b"".join(wire.network.carried)
    there.send(MESSAGE, source)
    wire.wait()
    assert wire.ours.heard == [(MESSAGE, THERE)]


def test_an_address_may_be_certified_too(wire):
    wire.carrier(wire.authority.identity(CARRIER))
    assert wire.ask(Hop("tls", CARRIER, 5061))
    assert not wire.ask()


@pytest.mark.parametrize("fault", ["another domain", "another authority", "expired"])
def test_who_is_not_whom_we_mean_hears_nothing(wire, tmp_path, fault):
    authority = Authority(tmp_path, "stranger") if fault == "another authority" else wire.authority
    domain = "sip.thief.example" if fault == "another domain" else DOMAIN
    wire.carrier(authority.identity(domain, days=-1 if fault == "expired" else 30))
    assert not wire.ask()
    assert wire.ours.lost == [THERE]


def test_a_carrier_that_does_not_speak_tls(wire):
    silent = Streams(wire.network.host(CARRIER), wire.clock)
    silent.receiver, silent.needed = wire.theirs, lambda hop: False
    silent.listen("tcp", CARRIER, 5061)
    assert not wire.ask()
    wire.wait(2 * CONNECT_SECONDS)
    assert wire.ours.lost == [THERE]


def test_who_never_shakes_hands_is_cut_off(wire):
    there = wire.carrier(wire.authority.identity(DOMAIN))
    knocking = Streams(wire.network.host("192.0.2.66"), wire.clock)
    knocking.receiver, knocking.needed = wire.ours, lambda hop: True
    knocking.send(b"\x16", Hop("tcp", CARRIER, 5061))
    wire.wait()
    assert len(there) == 1
    wire.wait(FIRST_SECONDS + LOOK_SECONDS)
    assert len(there) == 0


def test_a_renewed_certificate_is_used_from_the_next_connection_on(wire):
    there = wire.carrier(wire.authority.identity("sip.old.example"))
    assert not wire.ask()
    wire.authority.identity(DOMAIN)
    assert wire.ask()
    there.send(MESSAGE, wire.theirs.heard[0][1])
    wire.wait()
    assert wire.ours.heard


def test_in_the_middle_of_a_renewal_the_old_certificate_holds(wire, tmp_path):
    identity = wire.authority.identity(DOMAIN)
    wire.carrier(identity)
    wire.authority.identity(DOMAIN, file="new")
    (tmp_path / "new.pem").replace(identity.certificate)
    assert wire.ask(), "the new key is not there yet"
    identity.key.unlink()
    assert wire.ask(THERE._replace(domain=DOMAIN.upper()))


def test_old_versions_are_not_spoken(wire):
    context = wire.authority.identity(DOMAIN).context()
    old = SSL.Context(SSL.TLS_CLIENT_METHOD)
    old.set_max_proto_version(SSL.TLS1_1_VERSION)
    server, client = SSL.Connection(context, None), SSL.Connection(old, None)
    server.set_accept_state()
    client.set_connect_state()
    with pytest.raises(SSL.Error):
        for _ in range(4):
            for near, far in ((client, server), (server, client)):
                try:
                    near.do_handshake()
                except SSL.WantReadError:
                    far.bio_write(near.bio_read(65536))


@pytest.mark.parametrize("fault", ["no file", "no certificate", "another key"])
def test_a_certificate_that_cannot_be_used_is_said_at_the_start(wire, tmp_path, fault):
    identity = wire.authority.identity(DOMAIN)
    if fault == "no file":
        identity.certificate.unlink()
    elif fault == "no certificate":
        identity.certificate.write_text("nothing")
    else:
        identity = Identity(identity.certificate, wire.authority.identity(DOMAIN, file="other").key)
    with pytest.raises(BadCertificate, match=str(tmp_path)):
        Tls(wire.clock, identity)


def test_authorities_that_cannot_be_read(wire, tmp_path):
    (tmp_path / "empty.pem").write_text("")
    for path in (tmp_path / "empty.pem", tmp_path / "missing.pem"):
        with pytest.raises(BadCertificate, match="authorities"):
            Tls(wire.clock, None, path)
