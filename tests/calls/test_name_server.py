"""Questions to a real name server on loopback."""

from ipaddress import ip_address

import pytest_twisted
from twisted.internet import reactor
from twisted.names import authority, dns, server

from minitelecom.calls.hosts import Found
from minitelecom.calls.name_server import NONE_SECONDS, NameServers
from minitelecom.sip.locating import Kind, Pointer, Question, Service


class Zone(authority.FileAuthority):
    """carrier.example, without a file."""

    def __init__(self) -> None:
        super().__init__(None)
        records = {
            "carrier.example": [
                dns.Record_SOA("carrier.example", "nobody.carrier.example", ttl=300),
                dns.Record_NAPTR(10, 5, b"s", b"SIP+D2T", b"", "_sip._tcp.carrier.example", ttl=100),
            ],
            "_sip._tcp.carrier.example": [dns.Record_SRV(1, 2, 5062, "one.carrier.example", ttl=70)],
            "one.carrier.example": [dns.Record_A("192.0.2.1", 80), dns.Record_AAAA("2001:db8::1", 90)],
            "alias.carrier.example": [dns.Record_CNAME("one.carrier.example", 60)],
        }
        self.records = {name.encode(): found for name, found in records.items()}
        self.soa = (b"carrier.example", records["carrier.example"][0])

    def loadFile(self, filename) -> None: ...


@pytest_twisted.ensureDeferred
async def test_every_kind_of_record():
    factory = server.DNSServerFactory(authorities=[Zone()])
    factory.noisy = False
    port = reactor.listenUDP(0, dns.DNSDatagramProtocol(factory, reactor=reactor), interface="127.0.0.1")
    try:
        ask = NameServers(reactor, [("127.0.0.1", port.getHost().port)])
        answers = {
            Question(Kind.NAPTR, "carrier.example"): Found(
                [Pointer(10, 5, "s", "SIP+D2T", "_sip._tcp.carrier.example")], 100
            ),
            Question(Kind.SRV, "_sip._tcp.carrier.example"): Found([Service(1, 2, 5062, "one.carrier.example")], 70),
            Question(Kind.A, "one.carrier.example"): Found(["192.0.2.1"], 80),
            Question(Kind.AAAA, "one.carrier.example"): Found(["2001:db8::1"], 90),
            Question(Kind.A, "nobody.carrier.example"): Found([], NONE_SECONDS),
            Question(Kind.AAAA, "carrier.example"): Found([], NONE_SECONDS),
        }
        for question, expected in answers.items():
            assert await ask(question) == expected
        assert (await ask(Question(Kind.A, "alias.carrier.example"))).records == ["192.0.2.1"]
    finally:
        await port.stopListening()


@pytest_twisted.ensureDeferred
async def test_what_the_machine_itself_knows_is_not_asked_for():
    ask = NameServers(reactor, [("127.0.0.1", 9)])
    found = await ask(Question(Kind.A, "localhost"))
    assert ip_address(found.records[0]).is_loopback
