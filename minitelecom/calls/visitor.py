"""Who is on an incoming leg: a telephone of the shop, or somebody whom a carrier delivers."""

from dataclasses import dataclass

from minitelecom.calls.caller_id import Said
from minitelecom.sip.headers import NameAddr
from minitelecom.store.devices import Device


@dataclass(frozen=True, slots=True)
class Payer:
    """The account a call is charged to."""

    account_id: int
    number: str


@dataclass(frozen=True, slots=True)
class Visitor:
    """
    ``session`` is one per incoming leg and joins the numbers dialled in one visit.  ``calling_number`` is what the
    carrier says or the telephone's name; nothing is charged to anyone for it.
    """

    session: str
    device: Device | None
    trunk: str | None
    calling_number: str | None
    max_forwards: int = 70
    """How many more elements a call on behalf of this one may pass (RFC 3261 16.6)."""
    private: bool = False
    """Whom he calls must not see his number (RFC 3323)."""
    diversions: tuple[NameAddr, ...] = ()
    """Who forwarded the call to us (RFC 5806)."""

    @property
    def said(self) -> Said:
        """What is told of him to whom he calls."""
        return Said(self.calling_number, self.private, self.diversions)

    @property
    def payer(self) -> Payer | None:
        """Who pays for what he dials from the shop; None: he calls only inside and for help."""
        device = self.device
        if device is None or device.account_id is None or device.account_number is None:
            return None
        return Payer(device.account_id, device.account_number)

    @property
    def device_name(self) -> str | None:
        return self.device.name if self.device else None
