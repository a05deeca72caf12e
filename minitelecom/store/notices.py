"""
What PostgreSQL tells every process of an administrative change (LISTEN/NOTIFY).

The functions and triggers of schema/ notify: a recharge, a change of status, a new price list, a device, a trunk.
Beginning, answering and ending a call never do: a transaction that notifies takes a lock of the whole database.
"""

import json
from dataclasses import dataclass

CHANNEL = "minitelecom"


@dataclass(frozen=True, slots=True)
class Notice:
    """One change; exactly one of its fields says what of."""

    account: int | None = None
    """The account that was recharged, blocked, enabled, closed or prolonged."""
    prices: str | None = None
    """The price list that has a new version."""
    devices: bool = False
    trunks: bool = False


def read(payload: str) -> Notice:
    """What a payload says; of a kind that this program does not know yet, an empty notice."""
    try:
        said = json.loads(payload)
        account = said.get("account")
        return Notice(
            account=None if account is None else int(account),
            prices=said.get("prices"),
            devices="devices" in said,
            trunks="trunks" in said,
        )
    except (ValueError, TypeError, AttributeError):
        return Notice()
