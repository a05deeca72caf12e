"""Kamailio between telephones and the shop: it adds a Path to registrations, records itself in calls, and knows nobody."""

import shutil
from pathlib import Path

from tests.live.programs import Program, free_port, wait_until
from tests.live.shop import HOST, RunningShop

CONFIGURATION = """\
#!KAMAILIO
debug=2
log_stderror=yes
children=2
disable_tcp=yes
auto_aliases=no
shm_force_alloc=no
listen=udp:{host}:{port}
loadmodule "tm.so"
loadmodule "tmx.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "path.so"
modparam("path", "use_received", 1)

request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) t_relay(); exit; }}
    if (is_method("INVITE") && !has_totag()) record_route();
    if ($si == "{shop_host}" && $sp == {shop_port}) {{
        loose_route();
        t_relay();
        exit;
    }}
    force_rport();
    if (has_totag()) {{
        loose_route();
        t_relay();
        exit;
    }}
    if (is_method("REGISTER")) add_path_received();
    remove_hf("Route");
    $du = "sip:{shop_host}:{shop_port}";
    t_relay();
}}
"""


class EdgeProxy:
    """One Kamailio before one shop."""

    def __init__(self, folder: Path, shop: RunningShop, host: str) -> None:
        folder.mkdir()
        self.host, self.port = host, free_port(host)
        configuration = folder / "kamailio.cfg"
        configuration.write_text(
            CONFIGURATION.format(host=host, port=self.port, shop_host=HOST, shop_port=shop.sip_port)
        )
        program = shutil.which("kamailio") or shutil.which("/usr/sbin/kamailio")
        assert program, "Kamailio is missing: apt-get install kamailio"
        self.program = Program(
            [program, "-f", configuration, "-DD", "-E", "-m", "32", "-P", folder / "pid", "-Y", folder],
            folder / "screen",
        )
        wait_until(lambda: self._listens() or not self.program.runs, "Kamailio")
        assert self.program.runs, self.program.said[-3000:]

    def _listens(self) -> bool:
        return "Listening on" in self.program.said and free_is_taken(self.host, self.port)

    def close(self) -> None:
        if self.program.runs:
            self.program.stop()


def free_is_taken(host: str, port: int) -> bool:
    """Whether somebody listens there."""
    wanted = f"{int.from_bytes(bytes(map(int, host.split('.'))), 'little'):08X}:{port:04X}"
    return any(line.split()[1] == wanted for line in Path("/proc/net/udp").read_text().splitlines()[1:])
