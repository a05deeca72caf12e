"""
TLS under SIP (RFC 3261 section 26.3, RFC 5922). An edge: it reads files.

Our own certificate is looked at again for every connection that somebody opens to us, so that a renewed one is used from the
next connection on; while the new files don't fit together, as in the middle of a renewal, the old ones hold. Whoever we
connect to must show a certificate of the domain that we mean, from an authority of the system or of our own.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509 import load_pem_x509_certificates
from OpenSSL import SSL
from twisted.internet.interfaces import (
    IOpenSSLClientConnectionCreator,
    IOpenSSLServerConnectionCreator,
    IReactorTime,
)
from twisted.internet.protocol import ClientFactory, ServerFactory
from twisted.internet.ssl import Certificate, TLSVersion, optionsForClientTLS, platformTrust, trustRootFromCertificates
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from zope.interface import implementer

from minitelecom.sip.hop import Hop

log = Logger()

MOST_DOMAINS = 256  # whose connections share what was read of the authorities


class BadCertificate(Exception):
    """A certificate and its key that cannot be used; says why."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Our certificate, with those between it and the authority behind it, and its key: PEM files."""

    certificate: Path
    key: Path

    def context(self) -> SSL.Context:
        """What a server needs. Raises BadCertificate."""
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.set_min_proto_version(SSL.TLS1_2_VERSION)
        try:
            context.use_certificate_chain_file(str(self.certificate))
        except SSL.Error as error:
            raise BadCertificate(f"{self.certificate} cannot be read as a certificate (PEM){_why(error)}") from None
        try:
            context.use_privatekey(load_pem_private_key(self.key.read_bytes(), None))  # type: ignore[arg-type]
            context.check_privatekey()
        except SSL.Error as error:
            raise BadCertificate(f"{self.key} is not the key of {self.certificate}{_why(error)}") from None
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise BadCertificate(f"{self.key} cannot be read as a key without a password (PEM): {error}") from None
        return context

    def expires(self) -> datetime:
        """When the certificate ends to be one. Raises BadCertificate."""
        try:
            return load_pem_x509_certificates(self.certificate.read_bytes())[0].not_valid_after_utc
        except (OSError, ValueError) as error:
            raise BadCertificate(f"{self.certificate} cannot be read as a certificate (PEM): {error}") from None

    def stamp(self) -> tuple[object, ...]:
        """Another one whenever a file is another."""
        found: list[object] = []
        for path in (self.certificate, self.key):
            try:
                stat = path.stat()
            except OSError:
                found.append(None)
            else:
                found.append((stat.st_mtime_ns, stat.st_size, stat.st_ino))
        return tuple(found)


def authorities_in(path: Path) -> Any:
    """Those of a PEM file. Raises BadCertificate."""
    try:
        found = load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise BadCertificate(f"{path} cannot be read as certificates of authorities (PEM): {error}") from None
    each = [Certificate.loadPEM(one.public_bytes(Encoding.PEM)) for one in found]
    return trustRootFromCertificates(each)  # type: ignore[no-untyped-call]


@implementer(IOpenSSLServerConnectionCreator)
class Tls:
    """
    TLS as the streams want it. Without an identity of ours we can only connect to others; without a file of authorities,
    those of the system count. Raises BadCertificate.
    """

    def __init__(self, clock: IReactorTime, identity: Identity | None = None, authorities: Path | None = None) -> None:
        self._clock = clock
        self._identity = identity
        self._stamp = None if identity is None else identity.stamp()
        self._context = None if identity is None else identity.context()
        own = None if authorities is None else authorities_in(authorities)
        self._authorities: Any = platformTrust() if own is None else own  # type: ignore[no-untyped-call]
        self._towards = lru_cache(MOST_DOMAINS)(self._client_options)

    def server(self, inner: ServerFactory) -> ServerFactory:
        return TLSMemoryBIOFactory(self, False, inner, self._clock)  # type: ignore[return-value]

    def client(self, inner: ClientFactory, hop: Hop) -> ClientFactory:
        options = self._towards(hop.domain or hop.host)
        return TLSMemoryBIOFactory(options, True, inner, self._clock)  # type: ignore[return-value]

    def serverConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """See IOpenSSLServerConnectionCreator."""
        assert self._identity is not None
        stamp = self._identity.stamp()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._context = self._identity.context()
            except BadCertificate as bad:
                log.warn("the certificate that we had is used further: {why}", why=str(bad))
            else:
                log.info("{path} is another certificate now", path=self._identity.certificate)
        assert self._context is not None
        return SSL.Connection(self._context, None)

    def _client_options(self, domain: str) -> IOpenSSLClientConnectionCreator:
        at_least = {"raiseMinimumTo": TLSVersion.TLSv1_2}
        return optionsForClientTLS(domain, self._authorities, extraCertificateOptions=at_least)


def _why(error: SSL.Error) -> str:
    """What OpenSSL says, where it says anything."""
    reasons = [str(one[-1]) for one in error.args[0]] if error.args and isinstance(error.args[0], list) else []
    return f": {reasons[-1]}" if reasons else ""
