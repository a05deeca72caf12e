"""
linphonec as a telephone over TCP: it registers and calls; it says a file and writes down what it hears.

Told what to do on its standard input, as by somebody at a keyboard.
"""

import os
import shutil
import subprocess
from pathlib import Path

from tests.live.programs import free_port, wait_until
from tests.live.recordings import wait_for_tone
from tests.live.shop import HOST, RunningShop
from tests.live.sounds import RATE, sine, write_wav

SPOKEN_SECONDS = 60

CONFIGURATION = """\
[sip]
sip_port=0
sip_tcp_port={sip}
sip_tls_port=0
use_ipv6=0
guess_hostname=0
contact=<sip:{name}@{host}>
[rtp]
audio_rtp_port={sound}
[sound]
echocancellation=0
[proxy_0]
reg_proxy=<sip:{host}:{registrar};transport=tcp>
reg_identity=<sip:{name}@{host}>
reg_expires=300
reg_sendregister=1
publish=0
[auth_info_0]
username={name}
passwd={password}
realm=minitelecom
"""


class Linphone:
    """One telephone, registered under its name."""

    def __init__(self, folder: Path, shop: RunningShop, name: str, password: str, *, hertz: float) -> None:
        self._hertz = hertz
        self._heard = folder / "heard.wav"
        self._screen = folder / "screen"
        self._place = f"{HOST}:{shop.sip_port};transport=tcp"
        (folder / ".local" / "share" / "linphone").mkdir(parents=True)
        write_wav(folder / "said.wav", sine(hertz, SPOKEN_SECONDS * RATE))
        configuration = folder / "linphonerc"
        ports = {"sip": free_port(HOST), "sound": free_port(HOST), "registrar": shop.sip_port}
        configuration.write_text(CONFIGURATION.format(name=name, password=password, host=HOST, **ports))
        program = shutil.which("linphonec")
        assert program, "linphonec is missing: apt-get install linphone-cli"
        with self._screen.open("wb") as screen:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", program, "-c", configuration],
                stdin=subprocess.PIPE,
                stdout=screen,
                stderr=subprocess.STDOUT,
                env={**os.environ, "HOME": str(folder)},
            )
        for words in ("soundcard use files", f"play {folder / 'said.wav'}", f"record {self._heard}"):
            self._type(words)

    def _type(self, words: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{words}\n".encode())
        self._process.stdin.flush()

    def waits_for(self, said: str) -> None:
        def there() -> bool:
            return said in self._screen.read_text("utf-8", "replace")

        try:
            wait_until(there, f"{said!r} from linphonec")
        except AssertionError as late:
            late.add_note(self._screen.read_text("utf-8", "replace")[-3000:])
            raise

    def dial(self, number: str) -> None:
        self._type(f"call sip:{number}@{self._place}")
        self.waits_for("Media streams established")

    def hang_up(self) -> None:
        self._type("terminate")
        self.waits_for("ended (No error)")

    def hears(self, hertz: float, seconds: float = 1.0) -> None:
        """Wait until it has heard this tone for so long, and nothing of its own."""
        wait_for_tone(lambda: [self._heard] if self._heard.exists() else [], hertz, self._hertz, seconds)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
