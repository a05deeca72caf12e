"""Kamailio as a process: started with a configuration, and ready when it listens."""

import shutil
from pathlib import Path

from tests.live.programs import Program, wait_until


class Kamailio:
    """One that listens at an address of its own."""

    def __init__(self, folder: Path, host: str, port: int, configuration: str) -> None:
        folder.mkdir()
        self.host, self.port = host, port
        written = folder / "kamailio.cfg"
        written.write_text(configuration)
        program = shutil.which("kamailio") or shutil.which("/usr/sbin/kamailio")
        assert program, "Kamailio is missing: apt-get install kamailio"
        self.program = Program(
            [program, "-f", written, "-DD", "-E", "-m", "32", "-P", folder / "pid", "-Y", folder],
            folder / "screen",
        )
        wait_until(lambda: self._listens() or not self.program.runs, "Kamailio")
        assert self.program.runs, self.program.said[-3000:]

    def _listens(self) -> bool:
        """Whether it says so and has its port (proc(5): the address is written backwards, as this machine keeps it)."""
        address = int.from_bytes(bytes(map(int, self.host.split("."))), "little")
        taken = f" {address:08X}:{self.port:04X} "
        return "Listening on" in self.program.said and taken in Path("/proc/net/udp").read_text()

    def close(self) -> None:
        if self.program.runs:
            self.program.stop()
