"""
The system user that PostgreSQL runs as: root's processes may not run it, so root lends it to `minitelecom`.

A plain user runs the server as himself.
"""

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

USER_NAME = "minitelecom"
SPARE_USER_NAME = "postgres"
ROOT = 0


class NoServer(Exception):
    """The private PostgreSQL cannot serve here; the sentence says why and what to do about it."""


@dataclass(frozen=True, slots=True)
class ServerUser:
    """Who owns the cluster and runs its processes."""

    name: str
    uid: int
    gid: int

    def run(
        self, arguments: Sequence[str], *, timeout: float, pass_fds: tuple[int, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run a program as this user, away from our folder, our PG… variables and our service manager."""
        other = self.uid != os.geteuid()
        return subprocess.run(
            arguments,
            cwd="/",
            env=_environment(),
            user=self.uid if other else None,
            group=self.gid if other else None,
            extra_groups=[] if other else None,
            pass_fds=pass_fds,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )

    def can_reach(self, path: Path) -> bool:
        """Whether the kernel lets this user enter (or execute) path: asked by trying, not by reading mode bits."""
        return self.uid == os.geteuid() or self.run(["test", "-x", str(path)], timeout=30).returncode == 0

    def must_reach(self, path: Path, remedy: str) -> None:
        """Raise a sentence that names the folder in the way."""
        if self.can_reach(path):
            return
        barrier = next((p for p in [*reversed(path.parents), path] if not self.can_reach(p)), path)
        raise NoServer(f"PostgreSQL runs as the user {self.name!r}, who cannot enter {barrier}: {remedy}")


def _environment() -> dict[str, str]:
    ours = ("PG", "LC_", "LANG", "NOTIFY_SOCKET")  # the last: PostgreSQL, too, says READY=1 there (sd_notify(3))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "LC_ALL": "C"}


def server_user(data: Path, cluster: Path) -> ServerUser:
    """The user for the cluster in this data folder: its owner, ourselves, or root's choice of a system user."""
    owner = cluster.stat().st_uid if cluster.exists() else None
    me = os.geteuid()
    if me != ROOT:
        if owner not in (None, me):
            raise NoServer(f"{cluster} belongs to {_name(owner)!r}: run this as that user or as root")
        return _user(me)
    if owner == ROOT:
        raise NoServer(f"{cluster} belongs to root, as whom PostgreSQL refuses to run: chown -R {USER_NAME} {cluster}")
    if owner is None and data.stat().st_uid != ROOT:
        owner = data.stat().st_uid
    return _user(owner) if owner is not None else _system_user()


def _system_user() -> ServerUser:
    """Root's choice: `minitelecom`, created when missing; where that fails, the `postgres` of the distribution."""
    found = _find(USER_NAME)
    if found is None and shutil.which("useradd") is not None:
        options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        command = ["useradd", *options, "--shell", "/usr/sbin/nologin", USER_NAME]
        subprocess.run(command, capture_output=True, check=False, timeout=60)
        found = _find(USER_NAME)  # also when another process was quicker
    found = found or _find(SPARE_USER_NAME)
    if found is None:
        raise NoServer(f"PostgreSQL refuses to run as root: create a user for it with `useradd --system {USER_NAME}`")
    return found


def _find(name: str) -> ServerUser | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return ServerUser(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _user(uid: int) -> ServerUser:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise NoServer(f"user {uid} has no name on this machine (/etc/passwd), and PostgreSQL wants one") from None
    return ServerUser(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _name(uid: int | None) -> str:
    return "nobody" if uid is None else _user(uid).name
