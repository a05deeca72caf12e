"""A telephone of the shop on a leg: which one it is, and how it wants to be spoken to."""

from dataclasses import dataclass

from minitelecom.calls.profiles import Profile
from minitelecom.store.devices import Device


@dataclass(frozen=True, slots=True)
class Telephone:
    device: Device
    profile: Profile
