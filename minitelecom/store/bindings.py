"""Registrations of telephones (RFC 3261 section 10.3, RFC 3327), written through so that they outlive a restart."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from minitelecom.store.database import Database

Source = tuple[str, str, int] | tuple[str, str, int, str, bool]
"""Transport, host and port that a REGISTER came from; sip's Hop begins with them."""


class Binding(Protocol):
    """What is stored of a registration; sip.registration's has the same fields."""

    @property
    def contact(self) -> str: ...
    @property
    def source(self) -> Source: ...
    @property
    def call_id(self) -> str: ...
    @property
    def cseq(self) -> int: ...
    @property
    def expires(self) -> datetime: ...
    @property
    def user_agent(self) -> str | None: ...
    @property
    def path(self) -> Sequence[str]: ...
    @property
    def instance(self) -> str: ...
    @property
    def reg_id(self) -> int | None: ...
    @property
    def q(self) -> int: ...
    @property
    def since(self) -> int: ...


@dataclass(frozen=True, slots=True)
class StoredBinding:
    """A registration as it was stored."""

    contact: str
    source: tuple[str, str, int]
    call_id: str
    cseq: int
    expires: datetime
    user_agent: str | None
    path: tuple[str, ...] = ()
    instance: str = ""
    reg_id: int | None = None
    q: int = 1000
    since: int = 0


async def load_all(database: Database) -> dict[str, list[StoredBinding]]:
    """Every registration by device, the expired ones, too."""
    rows = await database.query(
        "SELECT device, contact, transport, host, port, call_id, cseq, expires, user_agent, path, instance, reg_id, q,"
        " since"
        " FROM bindings ORDER BY device, contact"
    )
    found: dict[str, list[StoredBinding]] = {}
    for device, contact, transport, host, port, call_id, cseq, expires, user_agent, path, *rest in rows:
        source = (transport, host, port)
        stored = StoredBinding(contact, source, call_id, cseq, expires, user_agent, tuple(path), *rest)
        found.setdefault(device, []).append(stored)
    return found


async def save(database: Database, device: str, bindings: Iterable[Binding]) -> None:
    """These are all registrations of the device from now on."""
    rows = [
        {
            "contact": binding.contact,
            "transport": binding.source[0],
            "host": binding.source[1],
            "port": binding.source[2],
            "call_id": binding.call_id,
            "cseq": binding.cseq,
            "expires": binding.expires.isoformat(),
            "user_agent": binding.user_agent,
            "path": list(binding.path),
            "instance": binding.instance,
            "reg_id": binding.reg_id,
            "q": binding.q,
            "since": binding.since,
        }
        for binding in bindings
    ]
    await database.query("SELECT save_bindings(%s, %s)", (device, json.dumps(rows)))
