"""The name servers of this machine, asked by twisted.names; /etc/hosts comes first, as everywhere else."""

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any

from twisted.internet.defer import Deferred
from twisted.names import client, dns, hosts
from twisted.names.error import AuthoritativeDomainError, DNSNameError
from twisted.python.failure import Failure

from minitelecom.calls.hosts import Found
from minitelecom.sip.locating import Kind, Pointer, Question, Record, Service

CONFIGURATION = b"/etc/resolv.conf"
NONE_SECONDS = 60.0  # so long it holds that there is no such name
HOSTS_SECONDS = 60  # what /etc/hosts says is read again after so long
TRIES_SECONDS = (1, 1)  # each name server is given so long, and then once more


class NameServers:
    """A Resolver; `servers` instead of the machine's own."""

    def __init__(self, reactor: Any, servers: Sequence[tuple[str, int]] = ()) -> None:
        self._hosts: Any = hosts.Resolver(ttl=HOSTS_SECONDS)  # type: ignore[no-untyped-call]
        configuration = None if servers else CONFIGURATION
        self._servers: Any = client.Resolver(configuration, list(servers), reactor=reactor)  # type: ignore[no-untyped-call]

    def __call__(self, question: Question) -> Deferred[Found]:
        """See Resolver."""
        if question.kind in (Kind.SRV, Kind.NAPTR):
            return self._ask(question)
        method = "lookupAddress" if question.kind is Kind.A else "lookupIPV6Address"
        at_home: Deferred[Any] = getattr(self._hosts, method)(question.name.encode())
        return at_home.addCallback(_found, question).addErrback(lambda _: self._ask(question))

    def _ask(self, question: Question) -> Deferred[Found]:
        asked: Deferred[Any] = {
            Kind.A: self._servers.lookupAddress,
            Kind.AAAA: self._servers.lookupIPV6Address,
            Kind.SRV: self._servers.lookupService,
            Kind.NAPTR: self._servers.lookupNamingAuthorityPointer,
        }[question.kind](question.name.encode(), TRIES_SECONDS)
        return asked.addCallbacks(_found, _none, callbackArgs=(question,))


def _found(answer: tuple[list[Any], list[Any], list[Any]], question: Question) -> Found:
    """The records of the kind that was asked for, whatever aliases led to them."""
    kind = getattr(dns, question.kind.value)
    headers = [header for header in answer[0] if header.type == kind]
    seconds = min((float(header.ttl) for header in headers), default=NONE_SECONDS)
    return Found([_record(header.payload) for header in headers], seconds)


def _none(failure: Failure) -> Found:
    """That there is no such name is an answer, too."""
    failure.trap(DNSNameError, AuthoritativeDomainError)  # type: ignore[no-untyped-call]
    return Found([], NONE_SECONDS)


def _record(payload: Any) -> Record:
    if isinstance(payload, dns.Record_SRV):
        return Service(payload.priority, payload.weight, payload.port, _name(payload.target))
    if isinstance(payload, dns.Record_NAPTR):
        flags, service = _text(payload.flags), _text(payload.service)
        return Pointer(payload.order, payload.preference, flags, service, _name(payload.replacement))
    return str(ip_address(bytes(payload.address)))


def _text(charstr: Any) -> str:
    return bytes(charstr.string).decode("latin-1")


def _name(name: Any) -> str:
    return bytes(name.name).decode("latin-1")
