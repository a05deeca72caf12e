"""Kamailio between telephones and the shop: it adds a Path to registrations, records itself in calls, and knows nobody."""

from pathlib import Path

from tests.live.kamailio import Kamailio
from tests.live.programs import free_port
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


class EdgeProxy(Kamailio):
    """One before one shop."""

    def __init__(self, folder: Path, shop: RunningShop, host: str) -> None:
        port = free_port(host)
        configuration = CONFIGURATION.format(host=host, port=port, shop_host=HOST, shop_port=shop.sip_port)
        super().__init__(folder, host, port, configuration)
