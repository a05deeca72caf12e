"""
Where a 3xx sends its caller: RFC 3261 section 8.1.3.4.

Only a plain SIP or SIPS address is followed: whatever headers stand in a contact are not ours to send, and another scheme is
not ours to dial; nor is a call that was to be safe all the way led where it is not (26.2.2).  The best contact comes first (section 20.10), of equal ones the first written.
"""

from minitelecom.sip.message import Response
from minitelecom.sip.uri import Uri

MOST_CONTACTS = 5
FOLLOWED = (300, 301, 302)
"""305 names a proxy, which anybody could then be (RFC 3261 takes it back to the original target); 380 a description."""


def contacts(response: Response, *, secured: bool = False) -> tuple[Uri, ...]:
    """
    What may be tried instead, each once; nothing where the response is none that sends elsewhere.  ``secured``: the INVITE
    was sent to a SIPS URI.
    """
    if response.status not in FOLLOWED:
        return ()
    schemes = ("sips",) if secured else ("sip", "sips")
    found: dict[str, Uri] = {}
    for contact in sorted(response.contacts, key=lambda one: -one.q):
        uri = contact.uri
        if uri.scheme in schemes and not contact.is_star and not uri.raw_headers:
            found.setdefault(str(uri), uri)
    return tuple(found.values())[:MOST_CONTACTS]
