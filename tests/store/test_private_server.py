"""The private PostgreSQL, as root and as a plain user: made, shared, adopted, recovered, refused."""

import contextlib
import os
import shutil
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import psycopg2
import pytest

from minitelecom.store.postgres_programs import Programs, find_programs
from minitelecom.store.private_server import PrivateServer
from minitelecom.store.server_user import NoServer
from tests.conftest import HURRIED, reachable_folder
from tests.store import processes
from tests.store.processes import IDENTITIES, Child, in_child, killed_at_the_end


@pytest.fixture(params=IDENTITIES)
def identity(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A cluster made once; most tests begin with a copy of it."""
    with reachable_folder() as folder:
        server = PrivateServer(folder, settings=HURRIED)
        server.ensure()
        server.release()
        yield folder / "postgresql"


def give(path: Path, uid: int, gid: int) -> None:
    for folder, _, files in os.walk(path):
        for name in ["", *files]:
            os.chown(Path(folder) / name, uid, gid)


@pytest.fixture
def empty(identity: str) -> Iterator[Path]:
    """An empty data folder of that user's."""
    with reachable_folder() as folder:
        who = processes.entry(identity)
        give(folder, who.pw_uid, who.pw_gid)
        yield folder
        stop(folder)


@pytest.fixture
def data(identity: str, empty: Path, made: Path) -> Path:
    """A data folder of that user's with a cluster that nobody has used yet."""
    owner = empty if identity == "plain user" else made
    shutil.copytree(made, empty / "postgresql")
    give(empty / "postgresql", owner.stat().st_uid, owner.stat().st_gid)
    return empty


@pytest.fixture
def server(data_folder: Path, made: Path) -> Iterator[PrivateServer]:
    cluster = data_folder / "postgresql"
    shutil.copytree(made, cluster)
    give(cluster, made.stat().st_uid, made.stat().st_gid)
    server = PrivateServer(data_folder, settings=HURRIED)
    server.ensure()
    yield server
    server.release()
    stop(data_folder)


def stop(folder: Path) -> None:
    """Leave nothing running, however the test ended: join as one user more, and be the last to go."""
    if PrivateServer(folder).pid is not None:
        last = PrivateServer(folder, settings=HURRIED)
        last.ensure()
        last.release()


def ask(url: str, sql: str) -> list[tuple[object, ...]]:
    with contextlib.closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def socket_folder(url: str) -> Path:
    return Path(unquote(url.partition("host=")[2].partition("&")[0]))


# Made and shared.


def test_made_on_first_use_and_stopped_by_the_last(identity: str, empty: Path) -> None:
    first, _ = in_child(processes.command, empty, identity=identity)
    assert first is not None
    assert PrivateServer(empty).pid is None
    second, coins = in_child(processes.command, empty, identity=identity)
    assert second not in (None, first)
    assert coins == 0


def test_nothing_listens_but_a_socket_in_a_closed_folder(server: PrivateServer, data_folder: Path) -> None:
    server.release()
    server = PrivateServer(data_folder)  # as shipped
    url = server.ensure()
    folder = socket_folder(url)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert len(bytes(folder / ".s.PGSQL.5432")) <= 107
    assert ask(url, "show listen_addresses") == [("",)]
    assert ask(url, "select current_setting('fsync'), current_setting('synchronous_commit')") == [("on", "on")]
    assert ask(
        url,
        "select datcollate, datctype, pg_encoding_to_char(encoding) from pg_database where datname = current_database()",
    ) == [("C", "C.UTF-8", "UTF8")]
    server.release()
    assert not folder.exists()


def test_a_long_path_of_the_data_folder_is_no_obstacle(data_folder: Path) -> None:
    deep = data_folder / ("deep" * 20) / ("deeper" * 10)
    server = PrivateServer(deep, settings=HURRIED)
    assert ask(server.ensure(), "select 1") == [(1,)]
    server.release()


def test_a_folder_that_others_may_enter_is_not_used_for_the_socket(server: PrivateServer, data_folder: Path) -> None:
    """In a folder for everybody our name may have been taken by somebody else, or stand open."""
    usual = socket_folder(server.ensure())
    server.release()
    run_folder = data_folder / "run"
    (run_folder / usual.name).mkdir(parents=True)
    (run_folder / usual.name).chmod(0o777)
    picky = PrivateServer(data_folder, settings=HURRIED, socket_parents=[run_folder])
    assert socket_folder(picky.ensure()) == usual
    picky.release()


def test_the_server_stays_while_somebody_uses_it(identity: str, data: Path) -> None:
    with killed_at_the_end(Child(processes.user, data, identity=identity)) as other:
        pid = other.told()
        assert in_child(processes.command, data, identity=identity)[0] == pid
        assert PrivateServer(data).pid == pid
        other._pipe.send("stop")
        other.told()
    assert PrivateServer(data).pid is None


def test_the_service_manager_hears_us_and_not_the_server(identity: str, data: Path) -> None:
    """Debian's PostgreSQL would tell systemd READY=1, long before we are."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + str(data))  # an abstract address, which everybody may speak to
        manager.setblocking(False)
        assert in_child(processes.watched_command, data, f"@{data}", identity=identity)[0] is not None
        with pytest.raises(BlockingIOError):
            manager.recv(4096)


def test_users_that_come_together_share_one_server(identity: str, empty: Path) -> None:
    with contextlib.ExitStack() as stack:
        children = [
            stack.enter_context(killed_at_the_end(Child(processes.user, empty, identity=identity))) for _ in range(4)
        ]
        assert len({child.told() for child in children}) == 1


def test_root_joins_the_server_of_another_user_and_leaves_him_all(identity: str, data: Path) -> None:
    with killed_at_the_end(Child(processes.user, data, identity=identity)) as other:
        assert in_child(processes.command, data)[0] == other.told()
    in_child(processes.command, data)  # started by root, for the owner
    assert in_child(processes.command, data, identity=identity)[0] is not None


# Killed.


def test_a_server_that_outlived_its_daemon_is_adopted_and_the_daemons_work_ended(identity: str, data: Path) -> None:
    daemon = Child(processes.daemon, data, identity=identity)
    pid = daemon.told()
    daemon.kill()
    adopted, coins = in_child(processes.command, data, identity=identity)  # would wait for the dead one's lock
    assert (adopted, coins) == (pid, 1)


def test_the_living_keep_their_work_when_the_dead_lose_theirs(server: PrivateServer, data_folder: Path) -> None:
    url = server.ensure()
    with contextlib.closing(psycopg2.connect(url)) as connection:
        connection.cursor().execute("create table ours (id integer)")
        dead = Child(processes.user, data_folder)
        dead.told()
        dead.kill()
        next_one = PrivateServer(data_folder, settings=HURRIED)
        next_one.ensure()
        connection.commit()
        next_one.release()
    assert ask(url, "select * from ours") == []


def test_a_server_killed_amid_work_is_recovered(identity: str, data: Path) -> None:
    with killed_at_the_end(Child(processes.daemon, data, identity=identity)) as daemon:
        pid = daemon.told()
        os.kill(pid, signal.SIGKILL)
        recovered, coins = in_child(processes.command, data, identity=identity)
        assert recovered not in (None, pid)
        assert coins == 1


def test_daemon_and_server_killed_together(identity: str, data: Path) -> None:
    daemon = Child(processes.daemon, data, identity=identity)
    pid = daemon.told()
    daemon.kill()
    os.kill(pid, signal.SIGKILL)
    recovered, coins = in_child(processes.command, data, identity=identity)
    assert recovered not in (None, pid)
    assert coins == 1


def test_the_number_of_a_dead_server_may_be_somebody_elses_now(server: PrivateServer, data_folder: Path) -> None:
    pid = server.pid
    assert pid is not None
    lines = (data_folder / "postgresql" / "postmaster.pid").read_text().splitlines()
    folder = Path(lines[4])
    os.kill(pid, signal.SIGKILL)
    for name in (data_folder / "postgresql" / "postmaster.pid", folder / ".s.PGSQL.5432.lock"):
        name.write_text("\n".join([str(os.getppid()), *lines[1:], ""]))
    assert ask(server.ensure(), "select 1") == [(1,)]
    assert server.pid not in (None, pid)


def test_a_server_whose_socket_was_swept_away_is_restarted(server: PrivateServer) -> None:
    before = server.pid
    shutil.rmtree(socket_folder(server.ensure()))
    assert ask(server.ensure(), "select 1") == [(1,)]
    assert server.pid != before


def test_a_half_made_cluster_is_made_anew(data_folder: Path) -> None:
    half = data_folder / "postgresql.new"
    (half / "base").mkdir(parents=True)
    (half / "PG_VERSION").write_text("15\n")
    server = PrivateServer(data_folder, settings=HURRIED)
    assert ask(server.ensure(), "select 1") == [(1,)]
    server.release()


def test_an_operators_setting_wins(server: PrivateServer) -> None:
    ask(server.ensure(), "alter system set work_mem = '7MB'")
    ask(server.ensure(), "alter system set max_connections = 33")
    server.release()
    url = server.ensure()
    assert ask(url, "select current_setting('work_mem'), current_setting('max_connections')") == [("7MB", "33")]


# Refused.


def refusal(data: Path, **how: object) -> str:
    with pytest.raises(NoServer) as refused:
        PrivateServer(data, **how).ensure()
    return str(refused.value)


def test_a_cluster_of_another_major_version_refuses_with_the_command_that_upgrades_it(
    server: PrivateServer, data_folder: Path
) -> None:
    server.release()
    (data_folder / "postgresql" / "PG_VERSION").write_text("13\n")
    said = refusal(data_folder)
    assert f"was made by PostgreSQL 13, and here is {find_programs()[0].major} but not 13" in said
    assert "apt-get install postgresql-13" in said
    assert "/bin/pg_upgrade -U minitelecom -b /usr/lib/postgresql/13/bin -B " in said
    assert "\n" not in said


def test_without_postgresql_it_says_how_to_get_it(data_folder: Path) -> None:
    assert "apt-get install postgresql" in refusal(data_folder, programs=[])


def test_too_old_a_postgresql_is_not_begun_with(data_folder: Path) -> None:
    old = Programs(find_programs()[0].folder, 13)
    assert refusal(data_folder, programs=[old]) == "PostgreSQL 15 or newer is wanted, and only 13 is installed"


def test_what_postgresql_says_against_starting_is_told(data_folder: Path) -> None:
    said = refusal(data_folder, settings={"shared_buffers": "not a size"})
    assert "does not start" in said
    assert "shared_buffers" in said or "configuration file" in said


def folder_out_of_reach(pipe: object, data: Path) -> str:
    return refusal(data / "closed" / "data")


@pytest.mark.parametrize("who", IDENTITIES)
def test_a_folder_the_servers_user_cannot_enter_is_named(data_folder: Path, who: str) -> None:
    closed = data_folder / "closed"
    closed.mkdir(mode=0o700)
    (closed / "data").mkdir()
    if IDENTITIES == ["self"]:
        closed.chmod(0)
    said = in_child(folder_out_of_reach, data_folder, identity=who)
    closed.chmod(0o700)
    assert "\n" not in said
    assert str(closed) in said


def another_owner(pipe: object, data: Path) -> str:
    return refusal(data)


def test_a_plain_user_is_told_whose_the_cluster_is(data_folder: Path) -> None:
    (data_folder / "postgresql").symlink_to("/usr")  # root's
    said = in_child(another_owner, data_folder, identity=IDENTITIES[-1])
    assert said == "/usr belongs to 'root': run this as that user or as root"
