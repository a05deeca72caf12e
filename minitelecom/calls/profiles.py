"""
How telephones want to be spoken to, learned from what they call themselves (User-Agent); a table, and no more.

Whoever nobody knows is spoken to as RFC 3261 says.  The telephones of 2003 are not: a parameter they never heard of in a
challenge, an address in a Via that they have no use for, a method that came later, and they begin anew, or hang.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from typing import Any

from minitelecom.calls.told_keys import Keys
from minitelecom.sip.digest import Offer
from minitelecom.sip.matching import Manner, Marks

MOST_KNOWN = 1000  # User-Agents of which we remember what was found out


class Route(Enum):
    """Where a telephone is sent to: where it was heard, or where it says it is."""

    SOURCE = "source"
    CONTACT = "contact"


@dataclass(frozen=True, slots=True)
class Challenge:
    """How a telephone is asked for its password (RFC 3261 section 22)."""

    register_status: int
    """What answers a REGISTER without credentials; everything else is answered 407."""
    offer: Offer
    """With qop each answer counts once; without it RFC 2069's is expected."""


@dataclass(frozen=True, slots=True)
class Profile:
    """The properties of a kind of telephone."""

    name: str
    challenge: int = 401
    qop: bool = True
    algorithms: tuple[str, ...] = ("MD5",)
    """
    Of the challenges, a header each, the one we like best first (RFC 8760).  Whoever does not know the first should pass
    it over; but baresip 1 and SIPp give up then, and so a better one is offered to those only that are known to know it.
    """
    received: Marks = Marks.AS_ASKED
    """How the Via of our answers shows where it was heard (RFC 3261 18.2.1, RFC 3581)."""
    route: Route = Route.SOURCE
    """Where requests of ours go, and answers to requests without rport (RFC 3261 18.2.2)."""
    reliable: bool = True
    """Whether 100rel (RFC 3262) may be used towards it, where it offers that."""
    update: bool = True
    """Whether UPDATE (RFC 3311) may be, where it allows that."""
    keys: Keys = Keys.LEARNED
    """How it is told keys that the other party presses; otherwise than learned, telephone-event is not offered to it."""
    restart: str = "check-sync"
    """The event of a NOTIFY that has it fetch its configuration anew; "none": there is no such event."""

    @property
    def asks(self) -> Challenge:
        return Challenge(self.challenge, Offer(self.algorithms, self.qop))

    @property
    def is_sent_to_contact(self) -> bool:
        return self.route is Route.CONTACT

    @property
    def manner(self) -> Manner:
        """How it is answered, as the transaction layer wants it."""
        return Manner(self.received, answered_at_via=self.is_sent_to_contact)


STANDARD = Profile("standard")
LEGACY = Profile("legacy", qop=False, reliable=False, update=False, restart="none")
GRANDSTREAM_LEGACY = replace(LEGACY, name="grandstream-legacy", restart="sys-control")
CISCO_ATA = replace(LEGACY, name="cisco-ata", received=Marks.WITHHELD, restart="check-sync")
CISCO_PHONE = replace(LEGACY, name="cisco-phone", route=Route.CONTACT, restart="check-sync")
GRANDSTREAM = replace(STANDARD, name="grandstream")
MODERN = replace(STANDARD, name="modern", algorithms=("SHA-256", "MD5"))
SIPURA = replace(STANDARD, name="sipura", reliable=False, update=False, restart="resync")

PROFILES = {
    profile.name: profile
    for profile in (STANDARD, MODERN, LEGACY, GRANDSTREAM_LEGACY, GRANDSTREAM, CISCO_ATA, CISCO_PHONE, SIPURA)
}

# The first that fits counts.  Compared with what a telephone calls itself, in any case.
_KNOWN = [
    (re.compile(regular, re.IGNORECASE | re.ASCII), profile)
    for regular, profile in (
        # "Grandstream HT286 1.0.8.32", "Grandstream BT100 1.0.5.11", "Grandstream 1.0.4.39"
        (r"Grandstream (?:HT(?:286|287|386|48[678]|496)|BT-?\d+|SIP UA |1\.0\.)", GRANDSTREAM_LEGACY),
        (r"Grandstream ", GRANDSTREAM),
        # "Cisco ATA v2.12 ata186 (0928a)", "Cisco ATA 186  v3.1.0 atasip (040211A)", "Cisco-CP7905/1.01-030429A"
        (r"Cisco ATA ?v?\d|Cisco-CP79(?:05|12)/", CISCO_ATA),
        # They send from a port of the moment and listen at the one of their Via and Contact.
        (r"CSCO/\d|Cisco-CP79[46]\d|Cisco-SIP-IP-Phone/", CISCO_PHONE),
        # "Linksys/PAP2T-3.1.15(LS)", "Sipura/SPA2000-2.0.13(g)", "Cisco/SPA112-1.4.1(002)"
        (r"(?:Linksys|Sipura|Cisco)/(?:SPA|PAP|RTP|WRP)", SIPURA),
        # "LinphoneDesktop/5.2.4 (debian) LinphoneSDK/5.3.47", "baresip v3.5.0 (x86_64/Linux)"
        (r"Linphone[A-Za-z-]*/(?:[5-9]|\d\d)|baresip v(?:[3-9]|\d\d)\.", MODERN),
    )
]


@lru_cache(MOST_KNOWN)
def learned(user_agent: str) -> Profile:
    """The profile of whoever calls itself so; one that nobody knows, or that says nothing, is taken at RFC 3261's word."""
    return next((profile for regular, profile in _KNOWN if regular.match(user_agent)), STANDARD)


_YES_NO: Mapping[str, Any] = {"yes": True, "no": False}
PROPERTIES: Mapping[str, Mapping[str, Any]] = {
    "challenge": {"401": 401, "407": 407},
    "qop": {"auth": True, "none": False},
    "algorithms": {"sha-256": ("SHA-256", "MD5"), "md5": ("MD5",)},
    "received": {"asked": Marks.AS_ASKED, "withheld": Marks.WITHHELD, "forced": Marks.FORCED},
    "route": {"source": Route.SOURCE, "contact": Route.CONTACT},
    "reliable": _YES_NO,
    "update": _YES_NO,
    "keys": {way.value: way for way in Keys},
    "restart": {event: event for event in ("check-sync", "resync", "sys-control", "none")},
}
"""Each property by its name, and its values by the words an administrator has for them."""


def profile_of(user_agent: str, name: str | None = None, properties: Mapping[str, str] | None = None) -> Profile:
    """
    A telephone's profile: the one of this name, otherwise the one learned; with the properties in which it differs.

    What a newer program may have written here, and this one does not know, is left out.
    """
    profile = PROFILES.get(name or "") or learned(user_agent)
    if not properties:
        return profile
    told = {
        key: PROPERTIES[key][word] for key, word in properties.items() if key in PROPERTIES and word in PROPERTIES[key]
    }
    return replace(profile, **told)


def words_of(profile: Profile) -> dict[str, str]:
    """The properties of a profile in an administrator's words."""
    return {
        key: next(word for word, value in values.items() if value == getattr(profile, key))
        for key, values in PROPERTIES.items()
    }
