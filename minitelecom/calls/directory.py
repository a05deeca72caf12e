"""
What call control must know at once and may never wait for: telephones, trunks, numbers, prices and registrations.

Read from the database at the start and again whenever a notice says that something changed there; between the two a
call needs no database to find its way.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from minitelecom.calls.hosts import Hosts
from minitelecom.calls.profiles import Profile, profile_of
from minitelecom.rating.exchange import Exchange
from minitelecom.rating.price_table import PriceTable
from minitelecom.sip.grammar import BadSyntax
from minitelecom.sip.hop import Hop, default_port
from minitelecom.sip.locating import transport_of
from minitelecom.sip.message import Request
from minitelecom.sip.registration import Binding
from minitelecom.sip.uri import Uri
from minitelecom.store import bindings, devices, exchange_rates, numbers, prices, trunks
from minitelecom.store.database import Database
from minitelecom.store.devices import DEFAULTS, Device
from minitelecom.store.numbers import Number
from minitelecom.store.secrets import Secrets
from minitelecom.store.trunks import Trunk


class Directory:
    """The shop's telephones, trunks, numbers, prices and registrations, in memory."""

    def __init__(self, database: Database, secrets: Secrets, hosts: Hosts, zone: ZoneInfo, currency: str) -> None:
        self.devices: dict[str, Device] = {}
        self.trunks: list[Trunk] = []
        self.numbers: dict[str, Number] = {}
        self.prices = PriceTable([])
        self.buy_prices: dict[str, PriceTable] = {}
        self.exchange = Exchange(currency)
        self.bindings: dict[str, list[Binding]] = {}
        self._devices_at: dict[str, Device] = {}
        self._trunks_at: dict[str, list[Trunk]] = {}
        self._database = database
        self._secrets = secrets
        self._hosts = hosts
        self._zone = zone

    async def read(self, instant: datetime) -> None:
        """Read everything."""
        await self.read_devices()
        await self.read_trunks()
        await self.read_numbers()
        await self.read_prices(instant)
        await self.read_buy_prices(instant)
        await self.read_exchange_rates(instant)
        await self.read_bindings()

    async def read_devices(self) -> None:
        found = await devices.all_devices(self._database, self._secrets)
        self.devices = {device.name: device for device in found}
        self._devices_at = {device.address: device for device in reversed(found) if device.address is not None}
        self.bindings = {name: known for name, known in self.bindings.items() if name in self.devices}

    async def read_trunks(self) -> None:
        self.trunks = await trunks.all_trunks(self._database, self._secrets)
        self._trunks_at = {}
        for trunk in self.trunks:
            for host in {host_of(uri) for uri in places(trunk)}:
                self._trunks_at.setdefault(host, []).append(trunk)
        self._hosts.look_up(uri for trunk in self.trunks for uri in places(trunk))

    async def read_numbers(self) -> None:
        self.numbers = {number.number: number for number in await numbers.all_numbers(self._database)}

    async def read_prices(self, instant: datetime) -> None:
        """The prices of the day, in the shop's zone, on which this instant lies."""
        day = instant.astimezone(self._zone).date()
        self.prices = PriceTable(await prices.load(self._database), day)

    async def read_buy_prices(self, instant: datetime) -> None:
        """What the carriers ask on this day, of those that have told us."""
        day = instant.astimezone(self._zone).date()
        found = await prices.load_carriers(self._database)
        self.buy_prices = {trunk: PriceTable(rates, day) for trunk, rates in found.items()}

    async def read_exchange_rates(self, instant: datetime) -> None:
        self.exchange = await exchange_rates.exchange(self._database, self.exchange.house, instant)

    async def read_bindings(self) -> None:
        stored = await bindings.load_all(self._database)
        self.bindings = {device: [_binding(one) for one in found] for device, found in stored.items()}

    async def save_bindings(self, device: str, current: list[Binding]) -> None:
        """Write first, then remember: what a telephone was told is never lost."""
        await bindings.save(self._database, device, current)
        self.bindings[device] = current

    def contacts(self, device: str, instant: datetime) -> list[Binding]:
        """Where a telephone can be reached now, latest registration first."""
        alive = [binding for binding in self.bindings.get(device, ()) if binding.expires > instant]
        return sorted(alive, key=lambda binding: binding.expires, reverse=True)

    def registered(self, instant: datetime) -> int:
        """How many telephones have a valid registration."""
        return sum(bool(self.contacts(device, instant)) for device in self.bindings)

    def is_registered_from(self, host: str, instant: datetime) -> bool:
        """Whether a telephone with a valid registration was last heard from there."""
        return any(
            one.source.host == host and one.expires > instant for found in self.bindings.values() for one in found
        )

    def profile(self, device: str, user_agent: str) -> Profile:
        """How a telephone wants to be spoken to: learned from what it calls itself, where nobody has said otherwise."""
        known = self.devices.get(device)
        told = DEFAULTS if known is None else known.settings
        return profile_of(user_agent, told.profile, told.properties)

    def profile_of_sender(self, request: Request) -> Profile:
        """The profile of whoever claims to have sent a request, before it is known whether he did."""
        try:
            name = request.from_.uri.user
        except BadSyntax:
            name = None
        return self.profile(name or "", request.get("User-Agent") or "")

    def is_registered_by(self, hop: Hop, instant: datetime) -> bool:
        """Whether a telephone has a valid registration that came from there."""
        return any(
            binding.source == hop and binding.expires > instant
            for bindings in self.bindings.values()
            for binding in bindings
        )

    def device_at(self, hop: Hop) -> Device | None:
        """The telephone or gateway known by where its requests come from."""
        host = f"[{hop.host}]" if ":" in hop.host else hop.host
        return self._devices_at.get(f"{host}:{hop.port}") or self._devices_at.get(host)

    def hosts(self, instant: datetime) -> set[str]:
        """The addresses of carriers, of telephones known by theirs, and where telephones are registered from."""
        devices = (host_of(f"sip:{address}") for address in self._devices_at)
        known = {host.strip("[]") for host in (*devices, *self._trunks_at)}
        heard = {one.source.host for found in self.bindings.values() for one in found if one.expires > instant}
        return known | heard | self._hosts.addresses()

    def trunk_at(self, hop: Hop, telephone: str | None) -> Trunk | None:
        """
        The carrier that a request comes from: its address and port, or its address alone.

        By the address alone only where the sender does not call itself one of our telephones, since a telephone may
        stand in the same house as a gateway.
        """
        hosts = (hop.host, *self._hosts.names_of(hop.host))
        at_host = [trunk for host in hosts for trunk in self._trunks_at.get(host, ()) if trunk.enabled]
        exact = next((trunk for trunk in at_host if hop.port in map(port_of, places(trunk))), None)
        if exact is not None or telephone in self.devices:
            return exact
        return at_host[0] if at_host else None


def places(trunk: Trunk) -> tuple[str, ...]:
    """Where a trunk's requests may come from: the carrier and its proxy."""
    return (trunk.uri,) if trunk.proxy is None else (trunk.uri, trunk.proxy)


def host_of(uri: str) -> str:
    """The host of a trunk's URI, without the brackets that an address may have there."""
    return Uri.parse(uri).host.strip("[]")


def port_of(uri: str) -> int:
    place = Uri.parse(uri)
    return place.port or default_port(transport_of(place) or "udp")


def _binding(stored: bindings.StoredBinding) -> Binding:
    return Binding(
        contact=stored.contact,
        source=Hop(*stored.source, theirs=stored.source[0] != "udp"),
        call_id=stored.call_id,
        cseq=stored.cseq,
        expires=stored.expires,
        user_agent=stored.user_agent or "",
        q=stored.q,
        path=stored.path,
        instance=stored.instance,
        reg_id=stored.reg_id,
        since=stored.since,
    )
