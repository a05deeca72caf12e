"""Kamailio as a carrier's front door: it wants us registered and asks each call for a password; the callee stands behind it."""

from pathlib import Path

from tests.live.kamailio import Kamailio
from tests.live.programs import free_port

DOMAIN = "carrier.example"
ACCOUNT, PASSWORD = "shop", "of the shop"

CONFIGURATION = """\
#!KAMAILIO
debug=2
log_stderror=yes
children=2
disable_tcp=yes
auto_aliases=no
shm_force_alloc=no
alias="{domain}"
listen=udp:{host}:{port}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"

request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) t_relay(); exit; }}
    if (has_totag()) {{
        if (loose_route()) t_relay();
        else if (!is_method("ACK")) sl_send_reply("404", "No Route Recorded");
        exit;
    }}
    if (is_method("OPTIONS")) {{ sl_send_reply("200", "Here"); exit; }}
    if (is_method("REGISTER")) {{
        if (!pv_www_authenticate("{domain}", "{password}", "0") || $au != "{account}") {{
            www_challenge("{domain}", "1");
            exit;
        }}
        save("location");
        exit;
    }}
    if (!is_method("INVITE")) {{ sl_send_reply("405", "Not Here"); exit; }}
    if (!registered("location", "$fu")) {{ sl_send_reply("403", "Register First"); exit; }}
    if (!pv_proxy_authenticate("{domain}", "{password}", "0")) {{
        proxy_challenge("{domain}", "1");
        exit;
    }}
    consume_credentials();
    remove_hf("Route");
    record_route();
    $du = "sip:{callee}";
    t_relay();
}}
"""


class DemandingCarrier(Kamailio):
    """Whatever it lets through goes to the callee (HOST:PORT)."""

    def __init__(self, folder: Path, host: str, callee: str) -> None:
        port = free_port(host)
        configuration = CONFIGURATION.format(
            host=host, port=port, domain=DOMAIN, account=ACCOUNT, password=PASSWORD, callee=callee
        )
        super().__init__(folder, host, port, configuration)
