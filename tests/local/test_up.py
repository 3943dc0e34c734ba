"""``python -m local up`` and ``down``: what they promise about processes, files and words. The whole of Sanctum runs.

No reply is asked for, so the model is one that does not exist.
"""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from infra.services import read_services
from local.certificates import Authority
from tests.support.inside import environment_of, process_of
from tests.support.person import Person
from tests.support.running import LOCAL, ROOT, Sanctum, running
from tests.support.waiting import eventually

pytestmark = pytest.mark.xdist_group("one_machine")

NO_MODEL = ("--model-url", "https://localhost:9/v1", "--model", "none")


def _local(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [*LOCAL, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def _processes(state: Path) -> list[Path]:
    """The processes that are told of ``state`` by their command line or environment, postgres and services alike."""
    found: list[Path] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue  # it has just ended, or is somebody else's
        if str(state).encode() in told and process.name != str(os.getpid()):
            found.append(process)
    return found


def _supervised(sanctum: Sanctum) -> set[str]:
    """Ids of the supervisor's own children; theirs, such as PostgreSQL's workers, come and go by themselves."""
    return set(Path(f"/proc/{sanctum.pid}/task/{sanctum.pid}/children").read_text().split())


def _supervisors(state: Path) -> list[str]:
    return [p.name for p in _processes(state) if b"\0local\0up\0" in (p / "cmdline").read_bytes()]


@contextmanager
def _in_foreground(state: Path) -> Generator[tuple[subprocess.Popen[str], Sanctum]]:
    command = [*LOCAL, "up", "--state", str(state), "--port", "0", *NO_MODEL]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            for line in process.stdout:
                if "is ready at" in line:
                    break
            up = json.loads((state / "up.json").read_text())
            yield process, Sanctum(up["url"], Path(up["ca"]), state, up["pid"], 0)
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def sanctum(tmp_path_factory: pytest.TempPathFactory) -> Generator[Sanctum]:
    """Sanctum with a model that wants a key and is signed by roots of its own."""
    folder = tmp_path_factory.mktemp("up")
    (folder / "key").write_text("the-key\n")
    Authority("the model's").write_certificate(folder / "roots.pem")
    options = ("--model-key-file", str(folder / "key"), "--model-ca-file", str(folder / "roots.pem"))
    with running(folder / "state", *NO_MODEL, *options) as started:
        yield started


def test_up_json_says_where_it_is_in_absolute_paths(sanctum: Sanctum):
    up = json.loads((sanctum.state / "up.json").read_text())
    assert up == {"url": f"https://localhost:{sanctum.port}", "ca": str(sanctum.state / "ca.pem"), "pid": up["pid"]}
    assert f"/proc/{up['pid']}" in map(str, _processes(sanctum.state))


@pytest.mark.parametrize("options", [[], ["--detach"]])
def test_a_second_up_tells_the_address_and_starts_nothing(sanctum: Sanctum, options: list[str]):
    before = _supervised(sanctum)
    second = _local("up", "--state", sanctum.state, *options)
    assert (second.returncode, second.stdout) == (0, f"Sanctum is running at {sanctum.url}\n")
    assert _supervised(sanctum) == before
    eventually(lambda: _supervisors(sanctum.state) == [str(sanctum.pid)])  # the detached half of it ends by itself


def test_a_service_that_is_killed_is_there_again(sanctum: Sanctum):
    killed = process_of("backend", sanctum)
    os.kill(int(killed.name), signal.SIGKILL)
    eventually(lambda: not killed.exists())
    person = Person(sanctum.url, sanctum.ca)

    def answers() -> bool:
        try:
            return person.http.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False

    eventually(answers, 60)
    person.http.close()
    assert f"backend ended (signal {signal.SIGKILL:d})" in (sanctum.state / "logs" / "sanctum.log").read_text()


def _sockets(process: Path) -> set[str]:
    """The inode numbers of the sockets that a process has open."""
    links = {str(file.readlink()) for file in (process / "fd").iterdir() if file.is_symlink()}
    return {link.removeprefix("socket:[").removesuffix("]") for link in links if link.startswith("socket:[")}


def test_every_port_is_closed_to_other_machines(sanctum: Sanctum):
    inodes = set[str]().union(*map(_sockets, _processes(sanctum.state)))
    tables = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()]
    listening = {row[1].partition(":")[0] for row in tables if row[3] == "0A" and row[9] in inodes}
    loopback = {"0100007F", "00000000000000000000000001000000"}  # 127.0.0.1 and ::1
    assert listening
    assert listening <= loopback


def test_after_a_kill_nothing_is_left_and_the_next_up_finds_the_data(tmp_path: Path):
    with _in_foreground(tmp_path) as (process, sanctum):
        person = Person(sanctum.url, sanctum.ca).register()
        process.kill()
        process.wait()
        eventually(lambda: not _processes(tmp_path))
        assert (tmp_path / "up.json").exists()
    with _in_foreground(tmp_path) as (process, again):
        person.http.close()
        person.reach(again.url, again.ca)
        assert person.sign_in().status_code == 200
        person.http.close()
        process.send_signal(signal.SIGINT)  # Ctrl-C stops it and leaves nothing
        assert process.wait(60) == 0
    assert not (tmp_path / "up.json").exists()
    assert not _processes(tmp_path)
    assert _local("down", "--state", tmp_path).stdout == "Sanctum is not running.\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_stops_while_it_still_starts(tmp_path: Path, number: signal.Signals):
    command = [*LOCAL, "up", "--state", str(tmp_path), "--port", "0", *NO_MODEL]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "Starting PostgreSQL …\n"
        process.send_signal(number)
        assert process.wait(60) == 0
    assert not _processes(tmp_path)


def test_down_stops_what_still_starts(tmp_path: Path):
    command = [*LOCAL, "up", "--state", str(tmp_path), "--port", "0", *NO_MODEL]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        process.stdout.readline()
        assert _local("down", "--state", tmp_path).stdout == "Sanctum has stopped.\n"
        assert process.wait(60) == 0


def _refused(*arguments: str | Path) -> str:
    """The one sentence with which it ends."""
    done = _local("up", *arguments)
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    return sentence


@pytest.mark.parametrize("options", [[], ["--detach"]])
def test_a_port_in_use_is_named_with_what_to_do(tmp_path: Path, options: list[str]):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert _refused("--state", tmp_path, "--port", str(port), *options).startswith(f"Port {port} is in use: ")
    assert not _processes(tmp_path)


def test_a_corrupt_data_directory_is_named_with_what_to_do(tmp_path: Path):
    data = tmp_path / "postgres" / "cluster" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("18\n")
    (tmp_path / "postgres" / "admin.json").write_text('{"username": "sanctum_admin", "password": "x"}')
    sentence = _refused("--state", tmp_path, "--port", "0", *NO_MODEL)
    assert sentence.startswith(f"PostgreSQL cannot run on the data in {data} (")
    assert not _processes(tmp_path)


def test_a_service_that_does_not_start_is_named_with_its_log(tmp_path: Path):
    sentence = _refused("--state", tmp_path, "--port", "0", "--model-url", "not-an-address", "--model", "none")
    log = tmp_path / "logs" / "ai_core.log"
    assert sentence.startswith(f"ai_core ended while it started: {log} says why")
    assert "MODEL_URL" in log.read_text()
    assert not _processes(tmp_path)


def test_a_key_file_that_cannot_be_read_is_named(tmp_path: Path):
    missing = tmp_path / "key"
    sentence = _refused("--state", tmp_path, "--port", "0", *NO_MODEL, "--model-key-file", missing)
    assert sentence.startswith(f"{missing} cannot be read (No such file or directory): ")


def test_a_state_folder_that_cannot_be_made_is_named(tmp_path: Path):
    (tmp_path / "file").touch()
    assert _refused("--state", tmp_path / "file" / "x").startswith(f"{tmp_path / 'file' / 'x'}: Not a directory; ")


@pytest.mark.parametrize("arguments", [["--model", "x"], ["--model-url", "https://x/v1"], ["--port", "65536"]])
def test_a_wrong_command_line_is_refused(arguments: list[str]):
    assert _local("up", *arguments).returncode == 2


def test_the_ai_core_is_told_of_the_model_and_nobody_else_is(sanctum: Sanctum):
    environment = environment_of("ai_core", sanctum)
    assert environment["MODEL_API_KEY"] == "the-key"
    assert environment["MODEL_CA_FILE"] == str(sanctum.state.parent / "roots.pem")
    assert not any(b"the-key" in (process / "cmdline").read_bytes() for process in _processes(sanctum.state))
    assert not any(name.startswith("MODEL_") for name in environment_of("backend", sanctum))


def test_a_service_finds_only_what_its_description_names(sanctum: Sanctum):
    for name, service in read_services().items():
        described = {n for n, v in (service.variables | service.secrets).items() if v.where != "cloud"}
        assert set(environment_of(name, sanctum)) <= described | {"PYTHONPATH"}
