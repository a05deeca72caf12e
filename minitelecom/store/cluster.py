"""
One PostgreSQL cluster in one folder: making it, starting it, waiting for it, stopping it, clearing after its death.

Nothing here is guarded against a second process: private_server holds the lock.
"""

import contextlib
import hashlib
import os
import shlex
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from twisted.logger import Logger

from minitelecom.store.postgres_programs import OLDEST_MAJOR, Programs, find_programs
from minitelecom.store.postmaster import PID_FILE, Postmaster, live_postmaster, orphans, tell
from minitelecom.store.server_user import ROOT, NoServer, ServerUser

ROLE = "minitelecom"
PORT = 5432
CONFIGURATION = "minitelecom.conf"  # includes the cluster's own postgresql.conf, which an upgrade makes anew
SOCKET_NAME = f".s.PGSQL.{PORT}"
SOCKET_PATH_BYTES = 107  # sockaddr_un holds 108 with the closing zero
MAKE_SECONDS = 180
START_SECONDS = 300  # recovery after a crash replays up to max_wal_size
STOP_SECONDS = 60
ORPHAN_SECONDS = 5
PAUSE_SECONDS = 0.02
REFUSALS_MAX = 250  # some seconds: one that has come up, yet lets nobody in, will not change its mind

SHARED_FOLDER = Path("/tmp")  # noqa: S108 - a folder there is used only if it is ours and 0700

SETTINGS: Mapping[str, str] = {
    "max_connections": "60",
    "shared_buffers": "128MB",
    "maintenance_work_mem": "64MB",
    "effective_cache_size": "512MB",
    "max_wal_size": "512MB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",  # short statements only; compiling one would take longer than running it
    "max_parallel_workers_per_gather": "0",
    "client_connection_check_interval": "1s",  # a killed client's long statement ends soon after it
    "fsync": "on",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",  # statements carry secrets; our own log says what failed
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "%a.log",  # one file a weekday, overwritten after a week
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
}
"""For a small PC that also carries calls. An operator overrides one with ALTER SYSTEM."""

_log = Logger()


@dataclass(frozen=True)
class Cluster:
    """A cluster folder, whose user, and what it is run with."""

    path: Path
    user: ServerUser
    settings: Mapping[str, str]
    programs: Sequence[Programs] | None = None  # None: whatever this machine has
    socket_parents: Sequence[Path] = ()  # tried before the usual ones

    @property
    def postmaster(self) -> Postmaster | None:
        return live_postmaster(self.path)

    def join(self) -> Path | None:
        """The socket folder of a server that runs already; None when there is none, or it had lost its socket."""
        postmaster = self.postmaster
        if postmaster is None:
            return None
        folder = self._wait(postmaster.pid)
        if folder is None and self.postmaster is not None:
            _log.warn("PostgreSQL {pid} runs but its socket is gone: restarting it", pid=postmaster.pid)
            self.stop()
        return folder

    def start(self, lock: int) -> Path:
        """Start the server, make the cluster before if it isn't there; return the folder of its socket."""
        programs = self._matching_programs()
        if not self.path.exists():
            self._make(programs, lock)
        folder = self._socket_folder()
        self._clear_remains(folder)
        self._write(CONFIGURATION, _configuration(self.settings))
        result = self.user.run(self._start_command(programs, folder), timeout=START_SECONDS + 30)
        postmaster = self.postmaster
        ready = self._wait(postmaster.pid) if postmaster is not None else None
        if ready is None:
            _remove_empty(folder)
            raise NoServer(f"PostgreSQL does not start in {self.path}: {self._complaint(result.stderr)}")
        _log.info("started PostgreSQL {major} in {path}", major=programs.major, path=self.path)
        return ready

    def stop(self) -> None:
        """Stop the server, by the signals `pg_ctl stop` would send, ever more firmly."""
        postmaster = self.postmaster
        if postmaster is None:
            return
        for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            tell(postmaster.pid, number)
            if self._gone(postmaster.pid):
                break
        folder = postmaster.socket_folder
        if folder is not None and folder.name.startswith(ROLE):
            _remove_empty(folder)
        _log.info("stopped PostgreSQL in {path}", path=self.path)

    def _wait(self, pid: int) -> Path | None:
        """Wait until the server answers; None when it dies meanwhile or has no socket any more."""
        complaint, refusals = "no answer", 0
        for _ in _moments(START_SECONDS):
            postmaster = self.postmaster
            if postmaster is None or postmaster.pid != pid:
                return None
            folder = postmaster.socket_folder
            if folder is None or not postmaster.ready:
                continue
            if not (folder / SOCKET_NAME).exists():
                return None
            complaint = _try(folder)
            if not complaint:
                return folder
            refusals += 1
            if refusals > REFUSALS_MAX:
                break
        raise NoServer(f"PostgreSQL (process {pid}) in {self.path} does not come up: {complaint}")

    def _gone(self, pid: int) -> bool:
        for _ in _moments(STOP_SECONDS):
            postmaster = self.postmaster
            if postmaster is None or postmaster.pid != pid:
                return True
        return False

    # Before a start

    def _matching_programs(self) -> Programs:
        """Those of the cluster's own major version, or the first of those found when there is no cluster yet."""
        found = list(self.programs) if self.programs is not None else find_programs()
        if not found:
            raise NoServer(
                "PostgreSQL is not installed: apt-get install postgresql, or pip install minitelecom[postgres]"
            )
        if self.path.exists():
            major = int((self.path / "PG_VERSION").read_text())
            fitting = [programs for programs in found if programs.major == major]
            if not fitting:
                raise NoServer(self._upgrade(major, found[0]))
        else:
            fitting = [programs for programs in found if programs.major >= OLDEST_MAJOR]
            if not fitting:
                raise NoServer(f"PostgreSQL {OLDEST_MAJOR} or newer is wanted, and only {found[0].major} is installed")
        self.user.must_reach(Path(fitting[0].path("postgres")), "install PostgreSQL by apt-get install postgresql")
        return fitting[0]

    def _upgrade(self, old: int, programs: Programs) -> str:
        """What to say about a cluster of another major version."""
        new = f"{self.path}.{programs.major}"
        steps = [
            f"{programs.path('initdb')} -D {new} -U {ROLE} -A trust -k -E UTF8 --locale=C --lc-ctype=C.UTF-8",
            f"{programs.path('pg_upgrade')} -U {ROLE} -b /usr/lib/postgresql/{old}/bin -B {programs.folder}"
            f" -d {self.path} -D {new}",
        ]
        inner = " && ".join(["cd /tmp", *steps])
        as_user = f"runuser -u {self.user.name} -- sh -c" if os.geteuid() == ROOT else "sh -c"
        return (
            f"the database in {self.path} was made by PostgreSQL {old}, and here is {programs.major} but not {old}."
            f" To go on as before: apt-get install postgresql-{old}. To upgrade it, with both installed:"
            f" mkdir {new} && chown {self.user.name} {new} && {as_user} {shlex.quote(inner)}"
            f" && mv {self.path} {self.path}.{old} && mv {new} {self.path}"
        )

    def _make(self, programs: Programs, lock: int) -> None:
        """
        Run initdb beside the final place, then one rename: a cluster half made by a killed process is never used.

        initdb inherits the lock, so that nobody else begins while one without a parent still writes.
        """
        unfinished = self.path.with_name(f"{self.path.name}.new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        os.chown(unfinished, self.user.uid, self.user.gid)
        sync = ["--no-sync"] if self.settings.get("fsync") == "off" else []
        shape = ["--encoding=UTF8", "--locale=C", "--lc-ctype=C.UTF-8", "--data-checksums", "--auth=trust"]
        arguments = [programs.path("initdb"), "-D", str(unfinished), "-U", ROLE, "--no-instructions", *shape, *sync]
        result = self.user.run(arguments, timeout=MAKE_SECONDS, pass_fds=(lock,))
        if result.returncode != 0:
            raise NoServer(f"PostgreSQL's initdb fails in {unfinished}: {_last_line(result.stderr)}")
        unfinished.rename(self.path)
        _log.info("made a PostgreSQL {major} cluster in {path}", major=programs.major, path=self.path)

    def _clear_remains(self, folder: Path) -> None:
        """Remove what a server killed with -9 leaves: children on its shared memory, lock files with its number."""
        for number in (signal.SIGQUIT, signal.SIGKILL):
            for _ in _moments(ORPHAN_SECONDS):
                left = orphans(self.path)
                if not left:
                    break
                for pid in left:
                    tell(pid, number)
        for remains in (self.path / PID_FILE, folder / SOCKET_NAME, folder / f"{SOCKET_NAME}.lock"):
            remains.unlink(missing_ok=True)

    def _write(self, name: str, text: str) -> None:
        """Write a file of the cluster. Root writes in a folder of another user here: never through a link of his."""
        final, fresh = self.path / name, self.path / f"{name}.new"
        fresh.unlink(missing_ok=True)
        file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(file, "w") as output:
            os.fchown(file, self.user.uid, self.user.gid)
            output.write(text)
        fresh.replace(final)

    def _start_command(self, programs: Programs, folder: Path) -> list[str]:
        fixed = {
            "config_file": str(self.path / CONFIGURATION),
            "listen_addresses": "",
            "unix_socket_directories": str(folder),
            "unix_socket_permissions": "0700",
            "port": str(PORT),
        }
        options = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in fixed.items())
        start = [programs.path("pg_ctl"), "start", "-D", str(self.path), "-l", str(self.path / "start.log")]
        return [*start, "-o", options, "-w", "-t", str(START_SECONDS)]

    def _complaint(self, otherwise: str) -> str:
        try:
            said = (self.path / "start.log").read_text()
        except OSError:
            said = ""
        fatal = [line for line in said.splitlines() if "FATAL" in line]
        return fatal[-1] if fatal else _last_line(said or otherwise)

    def _socket_folder(self) -> Path:
        """A folder of our own with a path short enough for a socket: under /run, the user's run folder, or /tmp."""
        name = f"{ROLE}-{hashlib.sha256(bytes(self.path)).hexdigest()[:8]}"
        for parent in (*self.socket_parents, *_socket_parents()):
            folder = parent / name
            if len(bytes(folder / SOCKET_NAME)) <= SOCKET_PATH_BYTES and self._own(folder):
                return folder
        folder = Path(tempfile.mkdtemp(prefix=f"{ROLE}-", dir=SHARED_FOLDER))  # somebody else sits on our name in /tmp
        os.chown(folder, self.user.uid, self.user.gid)
        return folder

    def _own(self, folder: Path) -> bool:
        """Whether this folder is, or could be made, ours alone (0700)."""
        try:
            folder.mkdir(mode=0o700)
            os.chown(folder, self.user.uid, self.user.gid)
        except FileExistsError:
            pass
        except OSError:
            return False
        found = folder.lstat()
        return found.st_uid == self.user.uid and found.st_mode & 0o170777 == 0o040700 and self.user.can_reach(folder)


def _remove_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()


def _try(folder: Path) -> str:
    """What the server says against a connection; nothing when it takes it."""
    try:
        psycopg2.connect(host=str(folder), port=PORT, user=ROLE, dbname="postgres", connect_timeout=10).close()
    except psycopg2.OperationalError as error:
        return str(error).strip() or "refused"
    return ""


def _socket_parents() -> Iterator[Path]:
    if os.geteuid() == ROOT:
        yield Path("/run")
    elif "XDG_RUNTIME_DIR" in os.environ:
        yield Path(os.environ["XDG_RUNTIME_DIR"])
    yield SHARED_FOLDER


def _moments(seconds: float) -> Iterator[None]:
    """Beats of a wait with an end: blocking, for the time before the reactor."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(PAUSE_SECONDS)


def _configuration(settings: Mapping[str, str]) -> str:
    lines = [f"{name} = '{value}'" for name, value in settings.items()]
    return "\n".join(
        ["# Written at every start; to change a value use ALTER SYSTEM.", "include 'postgresql.conf'", *lines, ""]
    )


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it does not say why"
