"""
A real router before a home: two network namespaces, and nftables that hides the one behind an address of the other.

    we, OUTSIDE ---- OUTER, router, INNER ---- the home: TELEPHONES

What is started `in_the_home` lives there, sockets included: a namespace is what a thread has, and its children.
"""

import contextlib
import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

OUTSIDE, OUTER = "198.18.77.1", "198.18.77.2"  # RFC 2544: nobody's
INNER, TELEPHONES = "192.168.77.1", ("192.168.77.11", "192.168.77.12")
CLONE_NEWNET = 0x40000000

# Another port for each mapping, as if others had taken the telephone's own.
MASQUERADE = """
table ip nat {
    chain out {
        type nat hook postrouting priority srcnat;
        oifname "outer" masquerade fully-random
    }
}
"""


class Router:
    """One router with one home behind it; gone without a trace when closed."""

    def __init__(self) -> None:
        for program, package in (("ip", "iproute2"), ("nft", "nftables")):
            assert shutil.which(program, path=PATH), f"{program} is missing: apt-get install {package}"
        self._router, self._home = f"router-{os.getpid()}", f"home-{os.getpid()}"
        self._link = f"mt{os.getpid()}"
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def _build(self) -> None:
        for namespace in (self._router, self._home):
            run("ip", "netns", "add", namespace)
            self._ip(namespace, "link set lo up")
        run("ip", "link", "add", self._link, "type", "veth", "peer", "name", "outer", "netns", self._router)
        run("ip", "address", "add", f"{OUTSIDE}/30", "dev", self._link)
        run("ip", "link", "set", self._link, "up")
        self._ip(self._router, f"link add inner type veth peer name wire netns {self._home}")
        self._ip(self._router, f"address add {OUTER}/30 dev outer")
        self._ip(self._router, f"address add {INNER}/24 dev inner")
        for telephone in TELEPHONES:
            self._ip(self._home, f"address add {telephone}/24 dev wire")
        self._ip(self._router, "link set outer up")
        self._ip(self._router, "link set inner up")
        self._ip(self._home, "link set wire up")
        self._ip(self._home, f"route add default via {INNER}")
        run("ip", "netns", "exec", self._router, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
        run("ip", "netns", "exec", self._router, "nft", "-f", "-", entered=MASQUERADE)

    def _ip(self, namespace: str, words: str) -> None:
        run("ip", "-n", namespace, *words.split())

    def forget(self) -> None:
        """As after a break in the current: what was masqueraded by this line is known no more."""
        self._ip(self._router, "link set outer down")
        self._ip(self._router, "link set outer up")

    @contextlib.contextmanager
    def in_the_home(self) -> Iterator[None]:
        """This thread, and whatever it starts or opens, is behind the router."""
        with Path("/proc/thread-self/ns/net").open("rb") as ours, Path("/run/netns", self._home).open("rb") as home:
            enter(home.fileno())
            try:
                yield
            finally:
                enter(ours.fileno())

    def close(self) -> None:
        for namespace in (self._home, self._router):  # the links go with them
            subprocess.run(["ip", "netns", "delete", namespace], capture_output=True, check=False, env=environment())


PATH = "/usr/sbin:/sbin:/usr/bin:/bin"


def environment() -> dict[str, str]:
    return {**os.environ, "PATH": PATH}


def run(*command: str, entered: str = "") -> None:
    done = subprocess.run(command, input=entered, capture_output=True, text=True, check=False, env=environment())
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"


def enter(namespace: int) -> None:
    """setns(2), for this thread."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.setns(namespace, CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
