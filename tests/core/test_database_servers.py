"""Database servers other than a single one in plain text: with TLS, with a replica, in a cluster, on a full disk."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.core.test_live_server import Live
from tests.own_servers import OwnMariaDB, free_port, has_mariadb, wait_until
from tests.server import TOP, server_environment

API = "/api/v1/"
PASSWORD = "um-bom-segredo-7"
GALERA = Path("/usr/lib/galera/libgalera_smm.so")
needs_mariadb = pytest.mark.skipif(not has_mariadb(), reason="there is no MariaDB to start")


@pytest.fixture
def start_mariadb(tmp_path: Path) -> Iterator[Callable[..., OwnMariaDB]]:
    """Start MariaDBs with further options, until the end of the test."""
    started: list[OwnMariaDB] = []

    def start(*options: str, database: bool = True) -> OwnMariaDB:
        mariadb = OwnMariaDB(tmp_path / f"mariadb{len(started)}", *options)
        mariadb.start()
        started.append(mariadb)
        if database:
            mariadb.run("CREATE DATABASE bookbridge", database="mysql")
        return mariadb

    yield start
    for mariadb in started:
        mariadb.end(signal.SIGKILL)


def register(live: Live, name: str = "alice") -> str:
    """Create an account, and return the value of its Authorization header."""
    answer = live.call("POST", f"{API}auth/register/", {"username": name, "password": PASSWORD})
    assert answer.status == 201, answer.text
    return f"Bearer {json.loads(answer.text)['access']}"


def ready(live: Live) -> tuple[int, dict[str, Any]]:
    answer = live.call("GET", "/readyz")
    return answer.status, json.loads(answer.text)


# --- TLS ------------------------------------------------------------------------------------------------------------


def openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def create_authority(home: Path) -> Path:
    """Create an authority, and certificates of it for 127.0.0.1 and for another address; return their directory."""
    home.mkdir()
    new_key = ["-newkey", "rsa:2048", "-nodes"]
    openssl("req", "-x509", *new_key, "-subj", "/CN=CA", "-keyout", home / "ca.key", "-out", home / "ca.pem")
    openssl("req", *new_key, "-subj", "/CN=server", "-keyout", home / "server.key", "-out", home / "server.csr")
    for name, address in (("server", "127.0.0.1"), ("elsewhere", "192.0.2.9")):
        (home / "names").write_text(f"subjectAltName=IP:{address}\n")
        authority = ["-CA", home / "ca.pem", "-CAkey", home / "ca.key", "-CAcreateserial", "-extfile", home / "names"]
        openssl("x509", "-req", "-in", home / "server.csr", *authority, "-out", home / f"{name}.pem")
    return home


def check_database(home: Path, url: str) -> subprocess.CompletedProcess[str]:
    """Run the check of the database, which connects as the server does."""
    command = [sys.executable, "manage.py", "check", "--database", "default"]
    env = server_environment(home, 8000, DATABASE_URL=url)
    return subprocess.run(command, cwd=TOP, env=env, capture_output=True, text=True, check=False)


@needs_mariadb
def test_database_with_tls_needs_its_authority_and_name(tmp_path, start_mariadb):
    ours, other = create_authority(tmp_path / "ours"), create_authority(tmp_path / "other")
    files = [f"--ssl-ca={ours}/ca.pem", f"--ssl-cert={ours}/server.pem", f"--ssl-key={ours}/server.key"]
    mariadb = start_mariadb(*files)
    mariadb.run("CREATE USER bookbridge@'%' REQUIRE SSL")
    mariadb.run("GRANT ALL ON bookbridge.* TO bookbridge@'%'")
    url = mariadb.url.replace("root@", "bookbridge@")
    assert check_database(tmp_path, url).returncode != 0  # without TLS
    right = check_database(tmp_path, f"{url}?ssl_ca={ours}/ca.pem")
    assert right.returncode == 0, right.stderr
    wrong_authority = check_database(tmp_path, f"{url}?ssl_ca={other}/ca.pem")
    mariadb.end()
    mariadb.start(f"--ssl-cert={ours}/elsewhere.pem")
    wrong_name = check_database(tmp_path, f"{url}?ssl_ca={ours}/ca.pem")
    for wrong in (wrong_authority, wrong_name):
        assert wrong.returncode != 0
        assert "DATABASE_URL: the database cannot be reached: " in wrong.stderr.splitlines()[-1]


@needs_mariadb
@pytest.mark.parametrize("mode", ["REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY"])
def test_database_without_tls_is_refused_if_tls_is_required(tmp_path, start_mariadb, mode):
    mariadb = start_mariadb("--skip-ssl")
    assert check_database(tmp_path, mariadb.url).returncode == 0
    refused = check_database(tmp_path, f"{mariadb.url}?ssl_mode={mode}")
    assert refused.returncode != 0
    assert "DATABASE_URL: the database cannot be reached: " in refused.stderr.splitlines()[-1]


# --- A replica ------------------------------------------------------------------------------------------------------


@needs_mariadb
def test_stopped_replica_does_not_show_what_has_become_private(tmp_path, start_mariadb):
    primary = start_mariadb("--server-id=1", "--log-bin")
    replica = start_mariadb("--server-id=2", "--read-only", database=False)
    source = f"MASTER_HOST='127.0.0.1', MASTER_PORT={primary.port}, MASTER_USER='root', MASTER_USE_GTID=slave_pos"
    replica.run(f"CHANGE MASTER TO {source}", database="mysql")
    replica.run("START SLAVE", database="mysql")
    urls = {"DATABASE_URL": primary.url, "REPLICA_URLS": replica.url, "REPLICA_MAX_LAG": "5"}
    live = Live(tmp_path, prepare=["migrate", "-v0"], **urls)
    try:
        alice = register(live)
        created = live.call("POST", f"{API}clubs/", {"name": "Night readers"}, Authorization=alice)
        club = f"{API}clubs/{json.loads(created.text)['id']}/"
        wait_until(lambda: ready(live)[1].get("replica0") == "ok")
        wait_until(lambda: live.call("GET", club).status == 200)

        def is_replica_used() -> bool:
            before = reads(replica)
            for _ in range(3):
                live.call("GET", club)
            return reads(replica) - before > 3

        wait_until(is_replica_used)
        replica.run("STOP SLAVE SQL_THREAD", database="mysql")
        assert live.call("PATCH", club, {"visibility": "private"}, Authorization=alice).status == 200
        wait_until(lambda: live.call("GET", club).status == 404, seconds=30)
        status, content = ready(live)
        assert (status, content["status"], content["replica0"]) == (200, "degraded", "late")
        # Each process has found out by then.
        time.sleep(2)
        assert {live.call("GET", club).status for _ in range(20)} == {404}
        replica.run("START SLAVE", database="mysql")
        wait_until(lambda: ready(live)[1]["status"] == "ok")
        assert {live.call("GET", club).status for _ in range(20)} == {404}
    finally:
        live.stop()


def reads(mariadb: OwnMariaDB) -> int:
    [(_name, number)] = mariadb.run("SHOW GLOBAL STATUS LIKE 'Com_select'")
    return int(number)


# --- A cluster ------------------------------------------------------------------------------------------------------


needs_galera = pytest.mark.skipif(not (has_mariadb() and GALERA.exists()), reason="Galera is not installed")


@pytest.fixture
def node(start_mariadb: Callable[..., OwnMariaDB]) -> OwnMariaDB:
    """A Galera cluster of one node."""
    group = free_port()
    return start_mariadb(
        *["--wsrep-on=ON", f"--wsrep-provider={GALERA}", "--wsrep-cluster-address=gcomm://", "--binlog-format=ROW"],
        *["--innodb-autoinc-lock-mode=2", "--wsrep-node-address=127.0.0.1", "--wsrep-sst-method=rsync"],
        f"--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:{group};ist.recv_addr=127.0.0.1:{free_port()}",
    )


def lose_quorum(node: OwnMariaDB) -> None:
    """Let the node look for a partner that is not there."""
    address = f"gcomm://127.0.0.1:{free_port()}?pc.wait_prim=no"
    node.run(f"SET GLOBAL wsrep_cluster_address = '{address}'", database="mysql")


@needs_galera
def test_readyz_fails_on_a_node_without_quorum(tmp_path, node):
    live = Live(tmp_path, prepare=["migrate", "-v0"], DATABASE_URL=node.url)
    try:
        assert ready(live)[0] == 200
        lose_quorum(node)
        wait_until(lambda: ready(live)[0] == 503)
        status, content = ready(live)
        assert (status, content["database"], content["reason"]) == (503, "down", "OperationalError 1047")
        answer = live.call("GET", f"{API}books/")
        assert (answer.status, json.loads(answer.text)["code"]) == (503, "unavailable")
        assert live.call("GET", "/healthz").status == 200
    finally:
        live.stop()


def check_of_haproxy(home: Path, mariadb: OwnMariaDB) -> bool:
    """Return whether deploy/haproxy/check-database lets HAProxy use the server."""
    (home / "check-database.cnf").write_text("[client]\nuser=root\n")
    check = (TOP / "deploy/haproxy/check-database").read_text().replace("/etc/haproxy", str(home))
    command = ["sh", "-c", check, "check-database", "127.0.0.1", "3306", "127.0.0.1", str(mariadb.port)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def state(node: OwnMariaDB) -> str:
    [(_name, text)] = node.run("SHOW GLOBAL STATUS LIKE 'wsrep_local_state_comment'", database="mysql")
    return str(text)


@needs_galera
def test_haproxy_uses_a_galera_node_while_it_accepts_writes(tmp_path, node):
    assert check_of_haproxy(tmp_path, node)
    # As while it copies its rows to another node.
    node.run("SET GLOBAL wsrep_desync = ON", database="mysql")
    assert state(node) == "Donor/Desynced"
    assert check_of_haproxy(tmp_path, node)
    node.run("SET GLOBAL wsrep_desync = OFF", database="mysql")
    node.run("SET GLOBAL read_only = ON", database="mysql")
    assert not check_of_haproxy(tmp_path, node)
    node.run("SET GLOBAL read_only = OFF", database="mysql")
    assert check_of_haproxy(tmp_path, node)
    lose_quorum(node)
    wait_until(lambda: not check_of_haproxy(tmp_path, node))


@needs_mariadb
def test_haproxy_uses_a_primary_without_galera(tmp_path, start_mariadb):
    mariadb = start_mariadb()
    assert check_of_haproxy(tmp_path, mariadb)
    mariadb.run("SET GLOBAL read_only = ON", database="mysql")
    assert not check_of_haproxy(tmp_path, mariadb)


# --- A full disk ----------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no right to mount")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_full_disk_of_the_database_is_503_and_damages_nothing(small_disk, tmp_path):
    live = Live(small_disk, PROMETHEUS_MULTIPROC_DIR=str(tmp_path / "metrics"))
    try:
        alice = register(live)
        full = small_disk / "full"
        with suppress(OSError), full.open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        seen = []
        for number in range(200):
            book = {"title": f"T{number}", "author": "A", "description": "x" * 900}
            answer = live.call("POST", f"{API}books/", book, Authorization=alice)
            seen.append(answer.status)
            if answer.status != 201:
                assert json.loads(answer.text)["code"] == "unavailable"
                assert int(answer.headers["Retry-After"]) >= 1
                break
        assert seen[-1] == 503
        assert live.call("GET", "/healthz").status == 200
        full.unlink()
        assert live.call("POST", f"{API}books/", {"title": "T", "author": "A"}, Authorization=alice).status == 201
    finally:
        live.stop()
    with closing(sqlite3.connect(small_disk / "db.sqlite3")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        [(number,)] = database.execute("SELECT COUNT(*) FROM catalog_book").fetchall()
    assert number == seen.count(201) + 1
