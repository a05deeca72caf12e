"""Where a request goes: RFC 3263 section 4, with a name server on paper."""

from collections import Counter
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minitelecom.sip.hop import Hop
from minitelecom.sip.locating import MOST_HOPS, Kind, Pointer, Question, Record, Service, in_order, locate
from minitelecom.sip.uri import Uri

ONLY_4, BOTH = (Kind.A,), (Kind.A, Kind.AAAA)
NUMBERS = {"a": "192.0.2.1", "b": "192.0.2.2", "c": "192.0.2.3"}


class Zone(dict[Question, list[Record]]):
    """What the name servers know; `asked` are the rounds of questions."""

    def __init__(self) -> None:
        self.asked: list[list[Question]] = []
        for name, number in NUMBERS.items():
            self[Question(Kind.A, f"{name}.example")] = [number]

    def naptr(self, *pointers: tuple[int, int, str, str], name: str = "example.com") -> "Zone":
        self[Question(Kind.NAPTR, name)] = [
            Pointer(order, preference, "s", service, to) for order, preference, service, to in pointers
        ]
        return self

    def srv(self, name: str, *services: tuple[int, int, int, str]) -> "Zone":
        self[Question(Kind.SRV, name)] = [Service(*service) for service in services]
        return self

    def address(self, name: str, *numbers: str) -> "Zone":
        for kind, colon in ((Kind.A, False), (Kind.AAAA, True)):
            self[Question(kind, name)] = [number for number in numbers if (":" in number) is colon]
        return self

    def find(self, uri: str, families: Sequence[Kind] = ONLY_4, seed: int = 1) -> list[str]:
        hops = self.hops(uri, families, seed)
        return [str(hop) for hop in hops]

    def hops(self, uri: str, families: Sequence[Kind] = ONLY_4, seed: int = 1) -> list[Hop]:
        steps = locate(Uri.parse(uri), families, Random(seed).randint)
        try:
            questions = next(steps)
            while True:
                self.asked.append(questions)
                questions = steps.send({question: self.get(question, []) for question in questions})
        except StopIteration as found:
            return found.value


@pytest.mark.parametrize(
    ("uri", "hop"),
    [
        ("sip:1@192.0.2.9", "udp:192.0.2.9:5060"),
        ("sip:1@192.0.2.9:5080", "udp:192.0.2.9:5080"),
        ("sip:1@192.0.2.9;transport=TCP", "tcp:192.0.2.9:5060"),
        ("sip:1@192.0.2.9;transport=tls", "tls:192.0.2.9:5061"),
        ("sips:1@192.0.2.9", "tls:192.0.2.9:5061"),
        ("sips:1@192.0.2.9:5070;transport=tcp", "tls:192.0.2.9:5070"),
        ("sip:1@[2001:db8::1]", "udp:[2001:db8::1]:5060"),
        ("sip:1@example.com;maddr=192.0.2.9", "udp:192.0.2.9:5060"),
    ],
)
def test_an_address_asks_nobody(uri, hop):
    zone = Zone()
    assert zone.find(uri) == [hop]
    assert zone.asked == []


def test_a_port_leaves_nothing_to_ask_but_the_address():
    zone = Zone().address("example.com", "192.0.2.7", "2001:db8::7")
    assert zone.find("sip:example.com:5080") == ["udp:192.0.2.7:5080"]
    assert zone.find("sips:example.com:5080", BOTH) == ["tls:192.0.2.7:5080", "tls:[2001:db8::7]:5080"]
    assert zone.find("sip:example.com:5080;transport=tcp") == ["tcp:192.0.2.7:5080"]
    assert zone.asked[0] == [Question(Kind.A, "example.com")]


def test_pointers_choose_the_transport_in_their_order():
    """The example of RFC 3263 section 4.1."""
    zone = Zone().naptr(
        (50, 50, "SIPS+D2T", "_sips._tcp.example.com."),
        (90, 50, "SIP+D2T", "_sip._tcp.example.com"),
        (100, 50, "SIP+D2U", "_sip._udp.example.com."),
    )
    zone.srv("_sip._tcp.example.com", (0, 1, 5060, "a.example."), (0, 2, 5060, "b.example"))
    zone.srv("_sip._udp.example.com", (0, 1, 5070, "c.example"))
    assert set(zone.find("sip:user@example.com")[:2]) == {"tcp:192.0.2.1:5060", "tcp:192.0.2.2:5060"}
    assert zone.find("sip:user@example.com")[2:] == ["udp:192.0.2.3:5070"]
    assert zone.find("sips:user@example.com") == [], "there is a pointer to servers that do not exist"


def test_pointers_lead_anywhere_and_unknown_ones_nowhere():
    zone = Zone().naptr(
        (10, 1, "E2U+sip", "elsewhere."), (10, 5, "SIP+D2S", "_sip._sctp.x"), (10, 9, "sip+d2t", "_x.hosting")
    )
    zone.srv("_x.hosting", (0, 0, 5062, "b.example"))
    assert zone.find("sip:example.com") == ["tcp:192.0.2.2:5062"]
    assert [question.name for question in zone.asked[1]] == ["_x.hosting"]


def test_without_pointers_the_services_are_asked_for():
    zone = Zone().srv("_sip._tcp.example.com", (0, 0, 5060, "a.example"))
    zone.srv("_sips._tcp.example.com", (0, 0, 5061, "b.example"))
    assert zone.find("sip:example.com") == ["tcp:192.0.2.1:5060", "tls:192.0.2.2:5061"]
    assert zone.hops("sips:example.com") == [Hop("tls", "192.0.2.2", 5061, "example.com")]
    assert zone.find("sip:example.com;transport=tls") == ["tls:192.0.2.2:5061"]
    assert Kind.NAPTR not in [question.kind for question in zone.asked[-2]], "the transport is chosen already"


def test_without_services_the_host_itself():
    zone = Zone().address("example.com", "192.0.2.7", "192.0.2.8")
    assert zone.find("sip:example.com") == ["udp:192.0.2.7:5060", "udp:192.0.2.8:5060"]
    assert len(zone.asked) == 1, "all in one round"
    assert zone.find("sips:Example.COM.") == ["tls:192.0.2.7:5061", "tls:192.0.2.8:5061"]
    assert zone.find("sip:example.com;transport=tcp")[0] == "tcp:192.0.2.7:5060"


def test_a_domain_that_says_no():
    zone = Zone().srv("_sip._udp.example.com", (0, 0, 0, ".")).address("example.com", "192.0.2.7")
    assert zone.find("sip:example.com") == []


@pytest.mark.parametrize("uri", ["sip:example.com", "sip:192.0.2.1;transport=sctp", "sips:a.example;transport=udp"])
def test_nowhere(uri):
    assert Zone().find(uri) == []


def test_priority_comes_first_and_each_server_once():
    zone = Zone().srv(
        "_sip._udp.example.com", (20, 90, 5060, "c.example"), (10, 0, 5060, "a.example"), (10, 5, 5060, "b.example")
    )
    for seed in range(20):
        found = zone.find("sip:example.com", seed=seed)
        assert found[2] == "udp:192.0.2.3:5060"
        assert sorted(found[:2]) == ["udp:192.0.2.1:5060", "udp:192.0.2.2:5060"]


def test_weights_are_chances():
    services = [Service(0, 10, 1, "a"), Service(0, 30, 1, "b"), Service(0, 60, 1, "c")]
    random = Random(3)
    first = Counter(in_order(services, random.randint)[0].target for _ in range(6000))
    assert all(abs(first[name] / 6000 - share) < 0.03 for name, share in {"a": 0.1, "b": 0.3, "c": 0.6}.items())


RECORDS = st.builds(
    Service, st.integers(0, 2), st.integers(0, 65535), st.integers(0, 65535), st.sampled_from(["a.example", ".", "b"])
)


@given(st.lists(RECORDS, max_size=40), st.integers())
def test_an_order_has_all_and_by_priority(services, seed):
    ordered = in_order(services, Random(seed).randint)
    assert Counter(ordered) == Counter(services)
    assert [service.priority for service in ordered] == sorted(service.priority for service in services)


@given(st.lists(RECORDS, max_size=40), st.lists(st.ip_addresses().map(str), max_size=40), st.integers())
def test_never_more_than_so_many_and_none_twice(services, numbers, seed):
    zone = Zone().address("a.example", *numbers)
    zone[Question(Kind.SRV, "_sip._udp.example.com")] = list(services)
    hops = zone.hops("sip:example.com", BOTH, seed)
    assert len(hops) == len(set(hops)) <= MOST_HOPS
    assert all(0 < hop.port < 65536 for hop in hops)
