"""The people of the stories: telephones of the shop, card holders at home, carriers; each a SIPp with an ear beside it."""

import contextlib
import itertools
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TypeVar

from minitelecom.ivr import catalogue
from minitelecom.ivr.caller import Prompt
from minitelecom.ivr.speech import say
from minitelecom.media.sound import Sound
from tests.live import scenarios
from tests.live.ear import Ear
from tests.live.programs import wait_until
from tests.live.scenarios import Calling, called, description
from tests.live.shop import ACCESS, RunningShop
from tests.live.sipp import Sipp
from tests.live.sounds import ABSENT, LEVEL_WITHIN, PCMA, PCMU

TELEPHONES_HOST, CARRIERS_HOST, GATEWAY_HOST, STRANGERS_HOST = (f"127.0.0.{number}" for number in (2, 3, 4, 5))
TALK_SECONDS = 3.0

Closing = TypeVar("Closing", Ear, Sipp)


@dataclass
class Party:
    """A SIPp and the sound beside it."""

    sipp: Sipp
    ear: Ear
    ready = ("ACK", True)  # what SIPp sends or receives when the talk can begin

    def answered(self) -> None:
        """Wait for the ACK of a 2xx; the ear then knows where to speak to."""
        begins, sent = self.ready
        wait_until(lambda: self._talks(begins, sent=sent), f"the answer at {self.sipp.name}")
        self.ear.speak_to(*self.sipp.far_sound())

    def _talks(self, begins: str, *, sent: bool) -> bool:
        messages = self.sipp.messages
        success = next((at for at, one in enumerate(messages) if one.begins.startswith("SIP/2.0 200")), None)
        return success is not None and any(
            one.begins.startswith(begins) and one.sent is sent for one in messages[success:]
        )

    def all_heard(self) -> list[str]:
        """Every prompt that was heard, in its order, for the report of a failed story."""
        heard = self.ear.encoded()
        places = {
            wav_id: heard.find(sound.in_law(self.ear.payload_type))
            for wav_id, sound in recorded().items()
            if sound.samples
        }
        return sorted((wav_id for wav_id, place in places.items() if place >= 0), key=lambda wav_id: places[wav_id])

    def hears(self, *prompts: Prompt, language: str = "en", count: int = 1) -> None:
        """Wait until these prompts have been heard, whole and one after another, for the `count`th time."""

        def often_enough() -> bool:
            return self.heard(*prompts, language=language) >= count

        try:
            wait_until(often_enough, f"{self.sipp.name} hears {prompts}, time {count}")
        except AssertionError as late:
            late.add_note(f"heard: {self.all_heard()}")
            raise

    def heard(self, *prompts: Prompt, language: str = "en") -> int:
        """How often these prompts were heard."""
        return self.ear.encoded().count(prompt_sound(language, prompts, self.ear.payload_type))


@dataclass
class Carrier(Party):
    """Who is reached under `dialled`, by a trunk of that name."""

    trunk: str
    number: str
    ready = ("ACK", False)

    @property
    def dialled(self) -> str:
        return f"00{self.number}"

    @property
    def answer_instant(self) -> datetime:
        return self.sipp.find("SIP/2.0 200", sent=True, method="INVITE")[0].instant


@cache
def recorded() -> dict[str, Sound]:
    return {wav_id: Sound.from_wav(path) for wav_id, path in catalogue.load().sounds().items()}


def prompt_sound(language: str, prompts: tuple[Prompt, ...], payload_type: int) -> bytes:
    return b"".join(recorded()[wav_id].in_law(payload_type) for prompt in prompts for wav_id in say(language, prompt))


class House:
    """Whoever takes part in one story.  All leave at its end."""

    _serial = itertools.count(1)

    def __init__(self, shop: RunningShop, folder: Path, leaving: contextlib.ExitStack) -> None:
        self.shop = shop
        self._folder = folder
        self._leaving = leaving
        self._sipps: list[Sipp] = []

    def __str__(self) -> str:
        """What everybody said, for the report of a failed story."""
        return "\n".join(sipp.story for sipp in self._sipps)

    def _until_the_end(self, closing: Closing) -> Closing:
        self._leaving.callback(closing.close)
        return closing

    def ear(self, host: str, *, payload_type: int = PCMA, events: bool = True) -> Ear:
        return self._until_the_end(Ear(host, payload_type=payload_type, events=events))

    def sipp(self, name: str, scenario: str, host: str, port: int | None = None, *, tcp: bool = False) -> Sipp:
        target = f"{'[::1]' if ':' in host else self.shop.host}:{self.shop.sip_port}"
        unique = f"{name}-{next(self._serial)}"
        sipp = self._until_the_end(Sipp(self._folder, unique, scenario, host=host, target=target, port=port, tcp=tcp))
        self._sipps.append(sipp)
        return sipp

    # Who is called.

    def carrier(
        self,
        *steps: str | Callable[[str], str],
        price: str = "31",
        payload_type: int | None = None,
        events: bool = True,
    ) -> Carrier:
        """A carrier behind a trunk of its own; a step that wants the description of its sound is a function of it."""
        ear = self.ear(CARRIERS_HOST, payload_type=PCMA if payload_type is None else payload_type, events=events)
        codecs = (PCMA, PCMU) if payload_type is None else (payload_type,)
        body = description(ear.port, codecs=codecs, events=events)
        played = [step if isinstance(step, str) else step(body) for step in steps]
        sipp = self.sipp("carrier", called(*played), CARRIERS_HOST)
        match = f"{price}{next(self._serial):03}"
        trunk = f"trunk-{match}"
        self.shop.trunk(trunk, CARRIERS_HOST, sipp.port, "--match", match)
        return Carrier(sipp, ear, trunk, f"{match}5550")

    def helper(self) -> Carrier:
        """Who answers 112."""
        ear = self.ear(CARRIERS_HOST)
        steps = called(scenarios.rings(), scenarios.answers(description(ear.port)))
        sipp = self.sipp("help", steps, CARRIERS_HOST)
        self.shop.trunk("help", CARRIERS_HOST, sipp.port, "--match", "112")
        return Carrier(sipp, ear, "help", "112")

    # Who calls.

    def telephone(
        self,
        number: str,
        name: str,
        password: str | None,
        *steps: Callable[[Calling], str],
        host: str = TELEPHONES_HOST,
        payload_type: int | None = None,
        events: bool = True,
        port: str | None = None,
    ) -> Party:
        """A telephone that calls a number; the steps are what it does about the answer.  `port`: another's sound."""
        ear = self.ear(host, payload_type=PCMA if payload_type is None else payload_type, events=events)
        codecs = (PCMA, PCMU) if payload_type is None else (payload_type,)
        calling = Calling(name, password, number, description(port or ear.port, codecs=codecs, events=events))
        played = [calling.invite(), *(step(calling) for step in steps)]
        return Party(self.sipp("telephone", scenarios.scenario("telephone", *played), host), ear)

    def card_holder(
        self, calling_number: str = "359888100200", *steps: Callable[[Calling], str], **sound: object
    ) -> Party:
        """Somebody at home who rings the access number, delivered by a gateway; what he hears is English."""
        steps = steps or (Calling.answered, Calling.talk)
        party = self.telephone(ACCESS, calling_number, None, *steps, host=GATEWAY_HOST, **sound)  # type: ignore[arg-type]
        party.answered()
        return party


@contextlib.contextmanager
def lived_in(shop: RunningShop, folder: Path) -> Iterator[House]:
    with contextlib.ExitStack() as leaving:
        yield House(shop, folder, leaving)


# --- what both hear --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Levels:
    """Decibels, against what a telephone speaks with."""

    caller_hears_callee: float
    caller_hears_himself: float
    callee_hears_caller: float
    callee_hears_himself: float


def talk(caller: Ear, callee: Ear, seconds: float = TALK_SECONDS) -> Levels:
    """700 Hz one way and 1100 Hz the other, for so long; what arrives is measured over all of it."""
    caller.say(700)
    callee.say(1100)
    caller.hears_tone(1100)
    callee.hears_tone(700)
    since = time.monotonic()
    levels = Levels(
        caller.level(1100, since, seconds),
        caller.level(700, since, seconds),
        callee.level(700, since, seconds),
        callee.level(1100, since, seconds),
    )
    caller.say(None)
    callee.say(None)
    sys.stdout.write(f"{levels}\n")  # pytest -rP shows it
    return levels


def hear_each_other(caller: Ear, callee: Ear, seconds: float = TALK_SECONDS) -> Levels:
    levels = talk(caller, callee, seconds)
    assert abs(levels.caller_hears_callee) <= LEVEL_WITHIN, levels
    assert abs(levels.callee_hears_caller) <= LEVEL_WITHIN, levels
    assert levels.caller_hears_himself <= ABSENT, levels
    assert levels.callee_hears_himself <= ABSENT, levels
    return levels
