"""What is tried: an hour of a call shop, with everything that may go wrong in it."""

from random import Random

from minitelecom.store.synchronous import SynchronousDatabase
from tests.simulation.lines import Line, Subscriber
from tests.simulation.people import (
    CardHolder,
    Carrier,
    DirectCaller,
    Human,
    Telephone,
    number_to_dial,
    set_going,
)
from tests.simulation.town import ACCESS, Town
from tests.simulation.wire import Router
from tests.world.house import HeldCard

HOUR = 3600.0
TELEPHONES = 12
CARDS = 10
FAREWELL = 30.0  # people leave within so many seconds when the shop closes
DISMISSED = 240.0  # and whoever vanished before is dismissed by then
SETTLED = 40.0  # seconds after the last BYE at which nothing may be left


class Shop(Town):
    """A town with its people."""

    def __init__(self, database: SynchronousDatabase, seed: int) -> None:
        super().__init__(database, seed)
        self.closed = False
        self.humans: list[Human] = []
        self.visits = 0
        chance = self.chance
        self.cards = [
            self.card(
                chance.choice(["0.01", "0.30", "1.00", "5.00", "25.00"]),
                chance.choices(["now", "first-use", "later"], [8, 3, 1])[0],
            )
            for _ in range(CARDS)
        ]
        self.accounts = [self.card(chance.choice(["0.10", "2.00", "20.00"])) for _ in range(3)]
        self.telephones: list[Telephone] = [
            self.telephone(f"{101 + i}", f"10.0.0.{11 + i}", self.accounts[i % 3] if i < 8 else None)  # type: ignore[misc]
            for i in range(TELEPHONES)
        ]
        self.router = Router("198.51.100.7", Random(f"router {seed}").choice([20.0, 40.0, 3600.0]))
        self.accounts_of_telephones = {
            telephone.name: self.accounts[place % 3].account_id for place, telephone in enumerate(self.telephones[:8])
        }
        for telephone in self.telephones[-2:]:
            telephone.address = "192.168.77.5"
            self.network.routers[telephone.host] = self.router
        self.shelf = self.party("101", "10.0.0.31", password="secret-101")  # a second set of the same name
        for telephone in (self.telephones[0], self.shelf):
            telephone.taken_over = self.take_over  # type: ignore[attr-defined]

    def party_kind(self, name: str) -> type[Subscriber]:
        return Telephone if name.isdigit() else Carrier

    def failed(self, failure: object) -> None:
        self.failures.append(str(failure))

    # The hour.

    def plan(self) -> None:
        """Put an hour's events on the clock."""
        chance, later = self.chance, self.clock.callLater
        for telephone in (*self.telephones, self.shelf):
            later(chance.uniform(0, 60), self.register, telephone)
        for _ in range(chance.randint(60, 180)):
            later(chance.uniform(30, HOUR - 60), self.visit)
        for times, event in (
            (chance.randint(0, 15), self.money_comes),
            (chance.randint(0, 6), self.block),
            (chance.choice([0, 0, 1, 3]), self.database_fails),
            (chance.choice([0, 0, 1, 3]), self.daemon_dies),
            (chance.choice([0, 0, 0, 1]), self.daemon_restarts),
            (chance.choice([0, 1, 3]), self.power_fails),
            (chance.choice([0, 0, 1]), self.new_prices),
            (chance.choice([0, 2, 8]), self.router_forgets),
            (chance.choice([0, 20]), self.noise),
        ):
            for _ in range(times):
                later(chance.uniform(60, HOUR - 120), event)
        later(HOUR, self.close)

    def run(self) -> None:
        """The hour, and as long after it as it takes until everything must be over."""
        self.open()
        self.plan()
        self.pass_(HOUR + DISMISSED)
        while self.clock.seconds() < self.network.last_word + SETTLED:
            self.pass_(self.network.last_word + SETTLED - self.clock.seconds() + 0.001)

    def close(self) -> None:
        """Everybody leaves; what was broken is mended; the telephones sign off."""
        self.network.note("the shop closes")
        self.closed = True
        self.database_returns()
        for party in (self.carrier, self.second, *self.telephones, self.shelf):
            if not party.plugged:
                party.plug()
        for telephone in (*self.telephones, self.shelf):
            self.clock.callLater(self.chance.uniform(0, FAREWELL), telephone.register, 0)
        for line in self.lines:
            self.clock.callLater(self.chance.uniform(0, FAREWELL), line.leave)

    # Who comes.

    def visit(self) -> None:
        kinds = {
            self.card_visit: 45,
            self.delivered_visit: 12,
            self.direct_call: 25,
            self.internal_call: 8,
            self.call_for_help: 3,
            self.stranger: 3,
        }
        self.visits += 1
        self.chance.choices(list(kinds), list(kinds.values()))[0]()

    def free_telephone(self, among: list[Telephone] | None = None) -> Telephone | None:
        free = [
            telephone
            for telephone in among or self.telephones
            if telephone.plugged and not any(line.talking or line.final is None for line in telephone.calls)
        ]
        return self.chance.choice(free) if free else None

    def card_visit(self, access: str = "100", telephone: Subscriber | None = None) -> None:
        telephone = telephone or self.free_telephone()
        if telephone is None:
            return
        chance = self.chance
        human = Human.some(chance)
        self.humans.append(human)
        line = self.lift(telephone, access)
        numbers = [
            "112" if chance.random() < 0.02 else number_to_dial(chance) for _ in range(chance.choice([0, 1, 1, 2, 3]))
        ]
        holder = CardHolder(human, line, chance.choice(self.cards), numbers, chance.random() < 0.1)
        set_going(holder.live, self.failed)

    def delivered_visit(self) -> None:
        if self.carrier.plugged:
            self.card_visit(ACCESS, self.carrier)

    def direct_call(self, number: str | None = None) -> None:
        telephone = self.free_telephone(self.telephones[:8] if self.chance.random() < 0.9 else self.telephones)
        if telephone is None:
            return
        human = Human.some(self.chance)
        self.humans.append(human)
        line = self.lift(telephone, number or number_to_dial(self.chance))
        set_going(DirectCaller(human, line).live, self.failed)

    def internal_call(self) -> None:
        self.direct_call(self.chance.choice(self.telephones).name)

    def call_for_help(self) -> None:
        self.direct_call("112")

    def stranger(self) -> None:
        """A telephone with a password that is wrong."""
        telephone = self.free_telephone()
        if telephone is None:
            return
        right, telephone.password = telephone.password, "guessed"
        line = self.lift(telephone, number_to_dial(self.chance))
        self.clock.callLater(5, setattr, telephone, "password", right)
        line.finished.addCallback(lambda _: None)

    def take_over(self, line: Line) -> None:
        """Somebody answers at the other set of a name, or goes on with a talk there (RFC 3891)."""
        other = self.telephones[0] if line.party is self.shelf else self.shelf
        rings = line.server is not None and not line.server.answered
        if self.closed or not other.plugged or not (rings or line.alive):
            return
        self.tried["answered for" if rings else "taken over"] += 1
        self.lift(other, line.party.name, (("Replaces", line.replaces),))

    def lift(self, telephone: Subscriber, number: str, headers: tuple[tuple[str, str], ...] = ()) -> Line:
        """A call begins; some callers lose their patience, or the power, at any moment."""
        line = telephone.call(number, body=self.chance.random() < 0.95, headers=headers)
        assert isinstance(line, Line)
        chance = self.chance
        fate = chance.random()
        if fate < 0.25:
            self.clock.callLater(chance.choice([chance.uniform(0, 2), chance.uniform(0, 90)]), line.leave)
        elif fate < 0.29:
            self.clock.callLater(chance.uniform(0, 90), line.vanish)
        else:
            self.clock.callLater(chance.uniform(600, 1800), line.leave)
        return line

    def register(self, telephone: Subscriber) -> None:
        if self.closed:
            return
        expires = self.chance.choice([60, 300, 1800, 3600])
        if telephone.plugged:
            telephone.register(0 if self.chance.random() < 0.05 else expires)
        self.clock.callLater(expires * self.chance.choice([0.5, 0.9, 1.2]) + 20, self.register, telephone)

    # What happens.

    def some_card(self) -> HeldCard:
        """One that pays for a call now, if there is one."""
        if self.running and not self.troubles.away and self.chance.random() < 0.8:
            talking = [
                call.account
                for call in self.exchange.live.snapshot()[1]
                if call.account is not None and call.destination is not None
            ]
            held = [card for card in (*self.cards, *self.accounts) if card.number in talking]
            if held:
                return self.chance.choice(held)
        return self.chance.choice(self.cards)

    def money_comes(self) -> None:
        self.recharge(self.some_card(), self.chance.choice(["0.01", "0.50", "10.00"]))

    def block(self) -> None:
        card = self.some_card()
        self.set_status(card, "disabled")
        self.clock.callLater(self.chance.uniform(20, 600), self.set_status, card, "enabled")

    def database_fails(self) -> None:
        if not self.troubles.away:
            self.database_goes(self.chance.choice([0.5, 5.0, self.chance.uniform(5, 60)]))

    def daemon_dies(self) -> None:
        self.kill()
        self.comes_again()

    def daemon_restarts(self) -> None:
        self.stop()
        self.clock.callLater(11, self.comes_again)

    def comes_again(self) -> None:
        self.clock.callLater(self.chance.choice([0.5, self.chance.uniform(1, 60)]), self._come)

    def _come(self) -> None:
        if self.running:
            return
        if self.troubles.away:
            self.clock.callLater(1, self._come)
        else:
            self.open()

    def power_fails(self) -> None:
        victim = self.chance.choice([*self.telephones, *self.telephones, self.carrier, self.second])
        if victim.plugged:
            self.network.note(f"{victim.name} has no power")
            victim.unplug()
            self.clock.callLater(self.chance.uniform(10, 200), self._power_returns, victim)

    def _power_returns(self, victim: Subscriber) -> None:
        if not victim.plugged:
            self.network.note(f"{victim.name} has power again")
            victim.plug()

    def router_forgets(self) -> None:
        self.network.note("the router forgets who is behind it")
        self.tried["ways forgotten"] += 1
        self.router.forget(self.clock.seconds())

    def noise(self) -> None:
        """What the internet sends to port 5060."""
        chance = self.chance
        earlier = [data for _, _, _, data in self.network.latest if data]
        data = chance.choice(
            [
                b"\0\0\0\0",
                b"GET / HTTP/1.0\r\n\r\n",
                chance.choice(earlier) if earlier else b"",
                chance.randbytes(200),
            ]
        )
        source = chance.choice(self.telephones)
        if data and source.plugged:
            source.layer.put(data, source.exchange)
