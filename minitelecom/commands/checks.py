"""
The checks of `doctor` that ask the machine and the files: sockets, disk, limits, prompts, the clock.

Each says what is the matter and what to do; none changes anything.
"""

import errno
import os
import resource
import shutil
import socket
import stat
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from minitelecom.commands.errors import sentence
from minitelecom.commands.findings import Finding, fault, good, warning
from minitelecom.commands.output import local_time
from minitelecom.commands.shop import now
from minitelecom.config import Config
from minitelecom.config_values import Endpoint
from minitelecom.ivr import catalogue
from minitelecom.ivr.catalogue import BadCatalogue, Catalogue
from minitelecom.media.sound import Sound, UnsuitableSound

LITTLE_SPACE = 1_000_000_000
NO_SPACE = 100_000_000
FILES_BESIDE_SOUND = 300  # sockets of SIP, web and database, files of the program
RENEWAL = timedelta(days=21)  # before its end a certificate should have been renewed
LEAST_YEAR = 2026  # before it this program was not written


def machine(config: Config, *, daemon_runs: bool) -> Iterable[Finding]:
    """Everything that needs no database."""
    yield _space(config.data)
    yield from (_endpoint("sip", endpoint, daemon_runs=daemon_runs) for endpoint in config.sip.listen)
    yield _endpoint("web", config.web.listen, daemon_runs=daemon_runs)
    if config.sip.certificate is not None and config.sip.key is not None:
        yield certificate(config.sip.certificate, config.sip.key, now())
    yield _files(config)
    yield prompts(config)
    yield _clock(config)


def spoken(config: Config) -> list[Endpoint]:
    """Where the daemon listens: SIP and the pages."""
    return [*config.sip.listen, config.web.listen]


def _space(data: Path) -> Finding:
    free = shutil.disk_usage(data).free
    shown = f"{free / 1e9:.1f} GB free for {data}"
    if free < NO_SPACE:
        return fault("disk", shown, "make room now: a full disk stops the database, and with it the calls")
    if free < LITTLE_SPACE:
        return warning("disk", shown, "make room before the database fills the disk")
    return good("disk", shown)


def _endpoint(check: str, endpoint: Endpoint, *, daemon_runs: bool) -> Finding:
    """Whether an address is free for the daemon, or taken by it."""
    where = str(endpoint)
    problem = bind_problem(endpoint)
    if problem is None:
        if daemon_runs:
            return warning(check, f"the daemon does not listen on {where}", "restart it: the configuration has changed")
        return good(check, f"{where} is free")
    if problem == errno.EADDRINUSE:
        if daemon_runs:
            return good(check, f"{where} is taken, as by a running daemon it should be")
        advice = f"stop that program (ss -lnp | grep :{endpoint.port}), or change [{check}] listen"
        return warning(check, f"{where} is taken by another program", advice)
    if problem == errno.EACCES:
        return warning(check, f"{where} is not for this user", "run the daemon as root, or take a port from 1024 on")
    advice = f"put an address of this machine into [{check}] listen"
    return warning(check, f"{where} cannot be listened on: {os.strerror(problem)}", advice)


def certificate(path: Path, key: Path, instant: datetime) -> Finding:
    """Whether our certificate can be used, and for how long."""
    from minitelecom.sip.tls import BadCertificate, Identity  # noqa: PLC0415 - no other command needs TLS

    identity = Identity(path, key)
    renew = "renew it: the daemon takes the new one by itself"
    try:
        identity.context()
        left = identity.expires() - instant
    except BadCertificate as bad:
        return fault("certificate", str(bad), "put the right files into [sip] certificate and key: TLS needs both")
    shown = f"{path} is valid for {left.days} days"
    if left <= timedelta():
        return fault("certificate", f"{path} has expired", renew)
    return warning("certificate", shown, renew) if left < RENEWAL else good("certificate", shown)


def bind_problem(endpoint: Endpoint) -> int | None:
    """The error number with which the system refuses an address now; None: it is free."""
    family = socket.AF_INET6 if ":" in endpoint.host else socket.AF_INET
    kind = socket.SOCK_DGRAM if endpoint.transport == "udp" else socket.SOCK_STREAM
    with socket.socket(family, kind) as probe:
        if family is socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind is socket.SOCK_STREAM:  # as the daemon does: a port whose last connection is just closing is free
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((endpoint.host, endpoint.port))
            if kind is socket.SOCK_STREAM:
                probe.listen()
        except OSError as error:
            return error.errno or errno.EIO
    return None


def is_free(endpoint: Endpoint) -> bool:
    """Whether an address can be listened on now."""
    return bind_problem(endpoint) is None


def _files(config: Config) -> Finding:
    """Each leg of a call takes two sockets; a service is given 65,536, a shell often 1,024."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    legs = len(config.rtp.ports) // 2
    if limit != resource.RLIM_INFINITY and limit < len(config.rtp.ports) + FILES_BESIDE_SOUND:
        calls = max(0, limit - FILES_BESIDE_SOUND) // 4
        detail = f"{limit} open files allow {calls} calls at once, [rtp] ports {legs // 2}"
        return warning("open files", detail, "ulimit -n 65536 where more calls are wanted; the systemd unit does it")
    return good("open files", f"{legs} legs of calls at once by [rtp] ports")


def prompts(config: Config, folder: Path = catalogue.PROMPTS) -> Finding:
    try:
        known = catalogue.load(folder)
    except (OSError, BadCatalogue) as error:
        return fault("prompts", sentence(error), "the daemon does not start: put prompts/ right beside the program")
    strange = [
        language for language in sorted({*config.ivr.languages, config.language}) if language not in known.languages
    ]
    if strange:
        return warning("prompts", f"no prompts in {', '.join(strange)}", "add their folders, or change [ivr] languages")
    strange = unsuitable(known, config.calls.music)
    if strange:
        return warning("prompts", "; ".join(strange[:3]), "nobody hears it: record it anew, or run prompts/speak.py")
    missing = known.missing()
    if missing:
        shown = ", ".join(missing[:3]) + (" …" if len(missing) > 3 else "")
        tools = [tool for tool in ("espeak-ng", "sox") if shutil.which(tool) is None]
        first = f"apt-get install {' '.join(tools)}; then " if tools else ""
        advice = f"{first}prompts/speak.py speaks them"
        return warning("prompts", f"{len(missing)} have a text but no sound: {shown}", advice)
    return good("prompts", f"complete in {', '.join(known.languages)}")


def unsuitable(known: Catalogue, music: str) -> list[str]:
    """What is wrong with the recordings that cannot be played."""
    found = []
    for path in filter(None, (*known.sounds().values(), known.music(music))):
        try:
            Sound.from_wav(path)
        except (UnsuitableSound, OSError) as reason:
            found.append(str(reason))
    return found


def _clock(config: Config) -> Finding:
    instant = now()
    shown = f"{local_time(instant, config.zone)} in {config.timezone}"
    if instant.year < LEAST_YEAR:
        return warning("clock", f"it is not {shown}", "set the clock, and install systemd-timesyncd or chrony")
    return good("clock", shown)


def key_file(path: Path) -> Finding:
    """The file without which no password of a card or telephone can be read."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        return warning("key file", f"{path} can be read by others", f"chmod 600 {path}")
    return good("key file", f"{path}: keep a copy of it outside this machine")
