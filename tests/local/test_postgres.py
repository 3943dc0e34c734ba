"""The PostgreSQL server on this machine: who gets in, what survives, and what is said when it cannot start."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from local import postgres as postgres_module
from local import postgres_binaries
from local.certificates import Authority
from local.failure import Failure
from local.postgres import Postgres
from local.unprivileged import Account, accounts
from tests.support.waiting import eventually

MAY_MOUNT = subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode == 0


def _pid(server: Postgres) -> int:
    return int((server.folder / "cluster" / "data" / "postmaster.pid").read_text().split()[0])


def _answers(server: Postgres) -> bool:
    try:
        return server.query("SELECT 1") == "1"
    except Failure:
        return False


def _works_in(process: Path, folder: Path) -> bool:
    try:
        return (process / "cwd").readlink() == folder
    except OSError:  # it has just ended
        return False


def test_it_is_postgresql_18_with_pgvector(postgres: Postgres):
    postgres.create_database("vectors")
    postgres.query("CREATE EXTENSION vector", PGDATABASE="vectors")
    assert postgres.query("SELECT '[1,2]'::vector <-> '[1,4]'", PGDATABASE="vectors") == "2"
    assert postgres.query("SHOW server_version").startswith("18.")


def test_a_database_is_made_once_and_closed_to_everybody(postgres: Postgres):
    postgres.create_database("closed")
    postgres.create_database("closed")
    postgres.query("CREATE ROLE outsider LOGIN PASSWORD 'known'")
    with pytest.raises(Failure, match='permission denied for database "closed"'):
        postgres.query("SELECT 1", PGDATABASE="closed", PGUSER="outsider", PGPASSWORD="known")


def test_a_name_is_never_taken_for_sql(postgres: Postgres):
    name = "x\"; DROP TABLE y; '--"
    postgres.create_database(name)
    assert postgres.query("SELECT current_database()", PGDATABASE=name) == name


def test_plain_tcp_is_refused(postgres: Postgres):
    with pytest.raises(Failure, match=r"no pg_hba\.conf entry .* no encryption"):
        postgres.query("SELECT 1", PGSSLMODE="disable")


def test_a_wrong_password_is_refused(postgres: Postgres):
    with pytest.raises(Failure, match="password authentication failed"):
        postgres.query("SELECT 1", PGPASSWORD="wrong")


def test_its_certificate_is_signed_by_our_ca_alone(postgres: Postgres, tmp_path: Path):
    Authority("Sanctum tests").write_certificate(tmp_path / "other.pem")
    with pytest.raises(Failure, match="certificate verify failed"):
        postgres.query("SELECT 1", PGSSLROOTCERT=str(tmp_path / "other.pem"))


def test_a_new_certificate_is_taken_while_it_runs(server: Postgres):
    server.start()
    before = server.certificate.read_bytes()
    process = _pid(server)
    other = Authority("another")
    server.renew_certificate(other)
    assert server.certificate.read_bytes() != before
    os.kill(process, signal.SIGHUP)
    eventually(lambda: _answers(server))  # it trusts the other authority alone by now
    assert _pid(server) == process


def test_passwords_are_kept_as_scram_verifiers(postgres: Postgres):
    postgres.query("CREATE ROLE somebody LOGIN PASSWORD 'x'")
    stored = postgres.query("SELECT rolpassword FROM pg_authid WHERE rolcanlogin").split()
    assert len(stored) >= 2
    assert all(verifier.startswith("SCRAM-SHA-256$") for verifier in stored)


def test_what_people_wrote_is_not_logged_with_an_error(postgres: Postgres):
    postgres.query("CREATE TABLE said (words text UNIQUE)")
    postgres.query("INSERT INTO said VALUES ('my-secret-hope')")
    with pytest.raises(Failure, match="duplicate key"):
        postgres.query("INSERT INTO said VALUES ('my-secret-hope')")
    log = postgres.log_file.read_text()
    assert "duplicate key" in log
    assert "my-secret-hope" not in log


def test_it_has_no_socket_but_the_loopback_port(postgres: Postgres):
    assert postgres.query("SHOW listen_addresses") == "127.0.0.1"
    assert postgres.query("SHOW unix_socket_directories") == ""


def test_data_survive_a_stop_and_a_kill(tmp_path: Path):
    server = Postgres(tmp_path / "postgres", Authority("test"))
    with server:
        server.query("CREATE TABLE kept AS SELECT 1 AS n")
    with server:
        server.query("INSERT INTO kept VALUES (2)")
        os.kill(_pid(server), signal.SIGKILL)
    with server:
        assert server.query("SELECT sum(n) FROM kept") == "3"


def test_a_lost_administrator_password_is_replaced(server: Postgres):
    with server:
        server.query("CREATE TABLE kept AS SELECT 1 AS n")
    server.admin_secret.unlink()
    with server:
        assert server.query("SELECT n FROM kept") == "1"


def test_a_first_start_that_was_broken_off_does_no_harm(server: Postgres):
    half = server.folder / "cluster" / "new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with server:
        assert server.query("SELECT 1") == "1"


def test_its_secrets_are_readable_by_their_owners_alone(server: Postgres):
    with server:
        for path in (server.admin_secret, server.folder / "cluster" / "server.key"):
            assert path.stat().st_mode & 0o077 == 0
        assert (server.folder / "cluster").stat().st_mode & 0o077 == 0


def _start_with(account: Account, folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Start a server in ``folder`` with that way alone; who it runs as, seen from here."""
    monkeypatch.setattr(postgres_module, "accounts", lambda: [account])
    with Postgres(folder / "postgres", Authority("test"), durable=False) as server:
        assert server.query("SELECT 1") == "1"
        status = Path(f"/proc/{_pid(server)}/status").read_text().splitlines()
        fields = dict(line.split(":\t", 1) for line in status if ":\t" in line)
        user = int(fields["Uid"].split()[0])
        assert user != 0 or int(fields["CapEff"], 16) == 0  # never root with root's rights
        return user


@pytest.mark.parametrize("account", accounts())
def test_every_way_to_run_without_roots_rights_works_where_others_may_enter(
    account: Account, reachable: Path, monkeypatch: pytest.MonkeyPatch
):
    assert _start_with(account, reachable, monkeypatch) == (account.owner or os.geteuid())


@pytest.mark.parametrize("account", accounts()[-2:])
def test_it_runs_in_a_folder_that_only_its_owner_may_enter(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    tmp_path.chmod(0o700)
    _start_with(account, tmp_path, monkeypatch)


def test_the_account_may_change_between_two_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for account in (*accounts()[1:], accounts()[-1]):
        _start_with(account, tmp_path, monkeypatch)


def test_a_port_in_use_is_named_with_what_to_do(postgres: Postgres, tmp_path: Path):
    second = Postgres(tmp_path / "second", Authority("test"), port=postgres.port, durable=False)
    with pytest.raises(Failure, match="port on which PostgreSQL was to listen is in use: start again"):
        second.start()


@pytest.mark.parametrize("damage", ["global/pg_control", "PG_VERSION", "pg_wal", "global"])
def test_corrupt_data_are_named_with_what_to_do(server: Postgres, damage: str):
    data = server.folder / "cluster" / "data"
    with server:
        pass
    path = data / damage
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.write_bytes(b"\xff" * 100)
    with pytest.raises(Failure, match=rf"cannot .* {data} \(.+\): ") as failure:
        server.start()
    assert "\n" not in str(failure.value)
    assert not [p for p in Path("/proc").glob("[0-9]*") if _works_in(p, data)]


def test_a_second_server_on_the_same_data_is_refused(server: Postgres):
    with server:
        second = Postgres(server.folder, Authority("test"), durable=False)
        second.ca_file = server.folder / "second-ca.pem"
        with pytest.raises(Failure, match="Another PostgreSQL runs on"):
            second.start()


def test_a_missing_library_is_named_with_what_to_do(server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def broken(folder: Path) -> Path:
        program = (postgres_binaries_install(folder) / "bin" / "postgres").read_bytes()
        target = tmp_path / "broken" / "bin" / "postgres"
        target.parent.mkdir(parents=True)
        target.write_bytes(program.replace(b"libssl.so.3\0", b"libssl.so.0\0"))
        target.chmod(0o755)
        return tmp_path / "broken"

    postgres_binaries_install = postgres_binaries.install
    monkeypatch.setattr(postgres_binaries, "install", broken)
    broken_server = Postgres(server.folder, Authority("test"))
    with pytest.raises(Failure, match=r"needs the system library libssl\.so\.0: install "):
        broken_server.start()


if MAY_MOUNT:  # only root may fill a disk without filling that of everybody

    def test_a_full_disk_is_named_with_what_to_do(tmp_path: Path):
        disk = tmp_path / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", disk], check=True)
        try:
            with pytest.raises(Failure, match=f"The disk that holds {disk}.* is full: free some space"):
                Postgres(disk / "postgres", Authority("test"), durable=False).start()
        finally:
            subprocess.run(["umount", disk], check=True)
