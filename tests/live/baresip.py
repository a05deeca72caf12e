"""
baresip as a telephone: it registers, calls, answers, presses keys; it says a file and writes down what it hears.

Told what to do by ctrl_tcp (JSON in netstrings).  Its sound ends in files, for machines that run tests have no cards.
"""

import json
import shutil
import socket
from pathlib import Path

from tests.live.programs import PATIENCE_SECONDS, Program, free_port, wait_until
from tests.live.recordings import wait_for_tone
from tests.live.shop import RunningShop
from tests.live.sounds import RATE, sine, write_wav

MODULES = Path("/usr/lib/baresip/modules")
SPOKEN_SECONDS = 90  # at the end of its file baresip hangs up
REGISTERED, ENDED = "200 OK () [1 binding]", "terminated (duration"  # what it says

CONFIGURATION = """\
poll_method epoll
sip_listen {host}:{sip}
net_interface {host}
rtp_ports {first}-{last}
audio_player aubridge,nowhere
audio_alert aubridge,nowhere
audio_source aufile,{folder}/said.wav
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
module_path {modules}
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
snd_path {folder}
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen {host}:{control}
"""


class Baresip:
    """One telephone, registered under its name."""

    def __init__(
        self,
        folder: Path,
        shop: RunningShop,
        name: str,
        password: str,
        *,
        host: str,
        hertz: float,
        port: int | None = None,
        proxy: str = "",
        transport: str = "udp",
        registered_seconds: int = 60,
    ) -> None:
        """``proxy``: HOST:PORT that everything of it goes by."""
        self._folder = folder
        self._hertz = hertz
        self._place = f"{shop.host}:{shop.tls_port if transport == 'tls' else shop.sip_port}"
        if transport != "udp":
            self._place += f";transport={transport}"
        folder.mkdir()
        write_wav(folder / "said.wav", sine(hertz, SPOKEN_SECONDS * RATE))
        control, sound = free_port(host, socket.SOCK_STREAM), free_port(host)
        ports = {"sip": port or free_port(host), "control": control, "first": sound, "last": sound + 20}
        configuration = CONFIGURATION.format(host=host, folder=folder, modules=MODULES, **ports)
        if transport == "tls":
            configuration += f"sip_cafile {shop.folder}/authority.pem\n"
        (folder / "config").write_text(configuration)
        account = f"<sip:{name}@{self._place}>;auth_user={name};auth_pass={password};regint={registered_seconds}"
        if proxy:
            account += f';outbound="sip:{proxy};transport=udp"'
        (folder / "accounts").write_text(f"{account};audio_codecs=pcma;ptime=20;answermode=auto\n")
        (folder / "contacts").write_text("\n")
        program = shutil.which("baresip")
        assert program, "baresip is missing: apt-get install baresip"
        self.program = Program([program, "-f", folder, "-v"], folder / "screen")
        try:
            self.waits_for(REGISTERED)
            self._control = socket.create_connection((host, control), timeout=PATIENCE_SECONDS)
        except BaseException:
            self.program.kill()
            raise

    def waits_for(self, said: str, count: int = 1) -> None:
        try:
            wait_until(lambda: self.program.said.count(said) >= count, f"{said!r} from baresip")
        except AssertionError as late:
            late.add_note(self.program.said[-3000:])
            raise

    def _tell(self, command: str, parameter: str = "") -> None:
        message = json.dumps({"command": command, "params": parameter})
        self._control.sendall(f"{len(message)}:{message},".encode())

    def _tell_and_wait(self, said: str, command: str, parameter: str = "") -> None:
        """Until it says so once more."""
        before = self.program.said.count(said)
        self._tell(command, parameter)
        self.waits_for(said, count=before + 1)

    def dial(self, number: str) -> None:
        self._tell_and_wait("Call established", "dial", f"sip:{number}@{self._place}")

    def press(self, keys: str) -> None:
        """All of them; it takes its time for each."""
        self._tell("sndcode", keys)

    def transfer(self, number: str) -> None:
        """Blind; it hangs up by itself when it is told of the success."""
        self._tell("transfer", f"sip:{number}@{self._place}")

    def hang_up(self) -> None:
        self._tell_and_wait(ENDED, "hangup")

    def hears(self, hertz: float, seconds: float = 1.0) -> None:
        """Wait until it has heard this tone for so long, and nothing of its own."""
        wait_for_tone(self._recordings, hertz, self._hertz, seconds)

    def _recordings(self) -> list[Path]:
        """One for each call; the latest last."""
        return sorted(self._folder.glob("dump-*-dec.wav"))

    def close(self) -> None:
        self._control.close()
        if self.program.runs:
            self.program.kill()
