"""Scanners and guessers: what they get to hear, how long, and who does not suffer for them."""

from datetime import timedelta

import pytest

from minitelecom.calls.defence import Defence
from minitelecom.calls.suspects import MOST_FAILURES, MOST_FAILURES_OF_A_NAME, MOST_NAMES, MOST_NAMES_FAILED
from minitelecom.calls.switch import LONGEST_NAME
from minitelecom.sip.admission import DOUBTED_SHARE
from minitelecom.sip.grammar import quote, readable
from minitelecom.sip.hop import Hop
from minitelecom.store import bans
from minitelecom.store.bans import Ban
from minitelecom.store.synchronous import run
from tests.calls.scene import DESCRIPTION
from tests.calls.story import LONDON, settle
from tests.calls.test_strangers import WrittenTelephone
from tests.calls.test_telephones import Away
from tests.world.house import EXCHANGE, House
from tests.world.party import Behaviour

SCANNER = "203.0.113.66"
BUSY_MINUTE = 1000  # messages


class Scanner(WrittenTelephone):
    """Tries names and passwords, as many as it is told to."""

    def asks(self, *names: str, method: str = "REGISTER", password: str | None = None) -> list[int]:
        """The statuses heard; with a password those of the second answer."""
        before = len(self.heard)
        for self.name in names:
            self.sequence += 1
            self.call_id = f"scan-{self.host}-{self.sequence}"
            challenge = self.ask_and_listen(method)
            if password is not None and challenge is not None:
                self.password = password
                self.ask_and_listen(method, self.credentials(challenge, method, "sip:10.0.0.1"))
        return [text.status for text in self.heard[before:]]

    def ask_and_listen(self, method: str, lines: str = "") -> object:
        before = len(self.heard)
        try:
            return self.ask(method, lines=lines)
        except IndexError:  # nothing was answered
            assert len(self.heard) == before
            return None


def scanner_of(house: House, host: str = SCANNER) -> Scanner:
    return Scanner(house.network, EXCHANGE, host)


def in_force(house: House) -> list[Ban]:
    return run(bans.in_force(house.database, house.now()))


def test_whoever_tries_one_name_after_another_is_banned(house: House) -> None:
    """He is told nothing but challenges, then less of them, and every process is told of him."""
    house.telephone("120", "10.0.0.11")
    house.open()
    scanner = scanner_of(house)
    statuses = scanner.asks(*map(str, range(100, 100 + 2 * MOST_NAMES)))
    assert statuses == [401] * len(statuses)
    assert len(statuses) == MOST_NAMES + MOST_NAMES // DOUBTED_SHARE
    assert [(ban.address, ban.name, ban.reason, ban.times, ban.proved) for ban in in_force(house)] == [
        (SCANNER, None, "many-names", 1, False)
    ]
    house.pass_(61, step=1)
    assert len(scanner.asks(*map(str, range(100, 100 + 2 * MOST_NAMES)))) < MOST_NAMES
    assert [ban.times for ban in in_force(house)] == [2]
    settle(house, 1)


def test_other_methods_are_no_way_round(house: House) -> None:
    house.open()
    scanner = scanner_of(house)
    heard = scanner.asks(*map(str, range(100, 100 + 2 * MOST_NAMES)), method="OPTIONS")
    assert heard == [200] * (MOST_NAMES + MOST_NAMES // DOUBTED_SHARE)
    assert [ban.reason for ban in in_force(house)] == ["many-names"]


def test_a_scanner_that_says_so_is_not_answered_at_all(house: House) -> None:
    house.open()
    scanner = scanner_of(house)
    scanner.agent = "User-Agent: friendly-scanner\n"
    assert scanner.asks(*map(str, range(100, 120))) == []
    assert [(ban.address, ban.reason, ban.proved) for ban in in_force(house)] == [(SCANNER, "scanner", False)]
    scanner.agent = "User-Agent: Softphone\n"
    assert len(scanner.asks(*map(str, range(100, 140)))) == 40 / DOUBTED_SHARE


def test_forged_datagrams_keep_nobody_out(house: House) -> None:
    """Whoever writes another's address on them is not there to answer a challenge; who is there can, and is heard."""
    for name in ("101", "102"):
        house.telephone(name, "10.0.0.200")
    house.open()
    victim = "198.51.100.20"
    forger = Scanner(house.network, EXCHANGE, victim, 40001)
    forger.asks(*map(str, range(100, 100 + 2 * MOST_NAMES)))
    forger.agent = "User-Agent: friendly-scanner\n"
    forger.asks(*map(str, range(100, 200)))
    assert [(ban.address, ban.proved) for ban in in_force(house)] == [(victim, False)]
    telephone = house.party("101", victim, password="secret-101").register()
    for _ in range(20):
        house.pass_(0.5)
        forger.asks("100")
    assert telephone.statuses == [401, 200]
    neighbour = Scanner(house.network, EXCHANGE, victim, 40003)
    neighbour.name, neighbour.password, neighbour.call_id = "102", "secret-102", "neighbour"
    for _ in range(5):  # with one that has shown who he is the house is not doubted any more
        assert neighbour.register().status == 200
    settle(house)


def test_who_guesses_passwords_has_heard_our_challenge_and_is_banned_altogether(house: House) -> None:
    """Also where it was doubted before whether he is there at all."""
    house.open()
    scanner = scanner_of(house)
    scanner.asks(*map(str, range(100, 100 + 2 * MOST_NAMES)))
    assert [ban.proved for ban in in_force(house)] == [False]
    scanner.asks(*map(str, range(100, 100 + DOUBTED_SHARE * MOST_NAMES_FAILED)), password="1234")
    assert [(ban.reason, ban.proved, ban.times) for ban in in_force(house)] == [("many-names", True, 2)]
    assert scanner.asks(*map(str, range(200, 220))) == []


def test_a_connection_cannot_be_forged(house: House) -> None:
    defence = Defence(house.clock, house.now, house.database, lambda _: set(), lambda _nonce, _host: False)
    request = b"OPTIONS sip:10.0.0.1 SIP/2.0\r\nUser-Agent: friendly-scanner\r\n\r\n"
    assert not defence.admits(request, Hop("tcp", SCANNER, 40000, theirs=True))
    assert [(ban.reason, ban.proved) for ban in in_force(house)] == [("scanner", True)]
    assert not defence.admits(request.replace(b"friendly-scanner", b"Softphone"), Hop("udp", SCANNER, 5060))


def banned(house: House) -> Scanner:
    """One that has been found guessing."""
    scanner = scanner_of(house)
    scanner.asks(*map(str, range(100, 100 + MOST_NAMES_FAILED)), password="1234")
    assert scanner.asks("100") == []
    return scanner


def test_a_restart_forgets_no_ban_and_a_release_ends_it(house: House) -> None:
    house.open()
    scanner = banned(house)
    house.exchange.stop()
    house.open()
    assert scanner.asks("100") == []
    run(bans.release(house.database, SCANNER, None, "ann", house.now()))
    run(house.exchange.read("bans"))
    assert scanner.asks("100") == [401]


def test_passwords_are_not_guessed(house: House) -> None:
    """After a few wrong ones not even the right one is of use for a while, and that looks the same."""
    house.telephone("101", "10.0.0.11")
    house.open()
    guesser = scanner_of(house)
    for guess in range(MOST_FAILURES_OF_A_NAME):
        assert guesser.asks("101", password=f"guess-{guess}") == [401, 403]
    assert guesser.asks("101", password="secret-101") == [401, 403]
    assert [(ban.address, ban.name, ban.reason) for ban in in_force(house)] == [(SCANNER, "101", "wrong-passwords")]
    for guess in range(MOST_FAILURES):
        guesser.asks("101", password=f"more-{guess}")
    assert {(ban.address, ban.name) for ban in in_force(house)} == {(SCANNER, "101"), (SCANNER, None)}
    assert guesser.asks("101", password="secret-101") == []
    elsewhere = scanner_of(house, "10.0.0.21")
    assert elsewhere.asks("101", password="secret-101") == [401, 200]


@pytest.mark.parametrize("name", ["", "x" * 500, "\x01\x7f", "Jürgen 😀", "\\"])
def test_guessing_at_a_name_that_nobody_could_have(house: House, name: str) -> None:
    """It is banned like any other, or does not matter; nothing stumbles over it."""
    house.open()
    guesser = scanner_of(house)
    for _ in range(2 * MOST_FAILURES_OF_A_NAME):
        challenge = guesser.ask("REGISTER")
        header, credentials = guesser.credentials(challenge, "REGISTER", "sip:10.0.0.1").split('username="101"')
        answer = guesser.ask("REGISTER", lines=f"{header}username={quote(name)}{credentials}")
        assert answer.status in (401, 403)
    assert {ban.name for ban in in_force(house)} <= {readable(name)[:LONGEST_NAME]}


def test_one_guess_at_each_of_many_names(house: House) -> None:
    house.open()
    guesser = scanner_of(house)
    for name in range(100, 100 + MOST_NAMES_FAILED):
        assert guesser.asks(str(name), password="1234") == [401, 403]
    assert guesser.asks("999", password="1234") == []
    assert [(ban.name, ban.reason) for ban in in_force(house)] == [(None, "many-names")]


def test_two_telephones_behind_one_router(house: House) -> None:
    """One of them has a wrong password and tries all day: the other registers, calls and is rung as ever."""
    card = house.card("1.00")
    for name in ("101", "102"):
        house.telephone(name, "10.0.0.200", card)
    house.open()
    house.carrier.usual = Behaviour(answer_after=0.1, talk_seconds=1)
    router = "198.51.100.20"
    wrong = Scanner(house.network, EXCHANGE, router, 40001)
    right = Scanner(house.network, EXCHANGE, router, 40002)
    right.name, right.password, right.call_id = "102", "secret-102", "right"
    for round_ in range(40):
        wrong.asks("101", password="mistyped")
        if round_ % 4 == 0:
            assert right.register().status == 200
        house.pass_(20, step=5)
    for _ in range(MOST_FAILURES_OF_A_NAME):
        wrong.asks("101", password="mistyped")
    uri = f"sip:{LONDON}@10.0.0.1"
    challenge = right.ask("INVITE", uri, body=DESCRIPTION)
    right.ask("INVITE", uri, right.credentials(challenge, "INVITE", uri), DESCRIPTION)
    house.pass_(1)
    assert right.statuses()[-1] == 200
    assert {(ban.address, ban.name) for ban in in_force(house)} == {(router, "101")}
    assert max(ban.until - ban.since for ban in in_force(house) if ban.until) == timedelta(minutes=10)
    run(bans.release(house.database, router, "101", "ann", house.now()))
    run(house.exchange.read("bans"))
    assert wrong.asks("101", password="secret-101") == [401, 200]


def test_whoever_scans_from_behind_a_customers_router_bans_nobody(house: House) -> None:
    """There he finds nothing out, and the telephone there goes on."""
    house.telephone("101", "10.0.0.200")
    house.open()
    router = "198.51.100.20"
    telephone = Scanner(house.network, EXCHANGE, router, 40001)
    assert telephone.register().status == 200
    scanner = Scanner(house.network, EXCHANGE, router, 40002)
    scanner.agent = "User-Agent: friendly-scanner\n"
    assert set(scanner.asks(*map(str, range(200, 300)))) == {401}
    assert in_force(house) == []
    assert telephone.register().status == 200


def test_a_scanner_is_kept_out_while_the_database_is_away(database: object) -> None:
    away = Away(database)
    house = House(away)  # type: ignore[arg-type]
    house.open()
    away.away = True
    scanner = banned(house)
    house.pass_(61, step=1)
    assert scanner.asks("100") == [401]


def test_forged_scanners_from_everywhere_do_not_fill_the_database(house: House) -> None:
    """They are dropped one and all, and some of them written down."""
    house.open()
    scanner = scanner_of(house)
    for number in range(2000):
        scanner.unplug()
        scanner.plug_in(f"198.18.{number // 250}.{number % 250}", 5060)
        scanner.send("OPTIONS sip:10.0.0.1 SIP/2.0\nUser-Agent: friendly-scanner\n\n")
        if number % 100 == 0:
            house.pass_(0.05)
    house.pass_(1)
    assert scanner.heard == []
    assert 0 < len(in_force(house)) <= 100


def test_forged_scanners_do_not_make_us_look_for_our_hosts_each_time(house: House) -> None:
    """That is work, in a large house."""
    looks: list[int] = []

    def hosts(_: object) -> set[str]:
        looks.append(1)
        return set()

    defence = Defence(house.clock, house.now, house.database, hosts, lambda _nonce, _host: False)
    for number in range(1000):
        source = Hop("udp", f"198.18.{number // 250}.{number % 250}", 5060)
        assert not defence.admits(b"OPTIONS sip:10.0.0.1 SIP/2.0\r\nUser-Agent: friendly-scanner\r\n\r\n", source)
    assert 0 < len(looks) <= 100


def test_whom_an_administrator_adds_is_a_stranger_no_more(house: House) -> None:
    """From the moment when we know of him: a carrier's answers are not counted, however many calls begin at once."""
    house.open()
    house.trunk("second", "sip:10.0.0.98")
    house.gateway("115", "10.0.0.15")
    for what in ("trunks", "devices"):
        run(house.exchange.read(what))
    for host in ("10.0.0.98", "10.0.0.15"):
        source = Hop("udp", host, 5060)
        heard = [house.exchange.defence.admits(b"SIP/2.0 200 OK\r\n\r\n", source) for _ in range(BUSY_MINUTE)]
        assert all(heard), f"{host}: {heard.count(False)} were not"
