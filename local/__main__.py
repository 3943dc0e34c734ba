"""``python -m local up`` and ``python -m local down``: what ``make up`` and ``make down`` call."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from infra.services import InvalidService, MissingValue
from infra.settings import InvalidSettings
from local.failure import Failure
from local.language_model import OtherModel
from local.logs import rotate
from local.memory import STORES
from local.ports import check_free, free_port
from local.sanctum import ROOT, Sanctum
from local.state import State
from local.supervisor import Stopped, Supervisor

DEFAULT_PORT = 8443
HIGHEST_PORT = 65_535


def main() -> int:
    """Do what the command line says; the exit code."""
    arguments = _parse()
    try:
        state = State(arguments.state)
        if arguments.command == "down":
            _say("Sanctum has stopped." if state.stop_holder() else "Sanctum is not running.")
            return 0
        if not arguments.detach:
            return _up(state, arguments)
        log_file = state.private("logs") / "sanctum.log"
        rotate(log_file)
        return _detached(log_file, lambda tell: _up(state, arguments, tell))
    except (Failure, InvalidService, InvalidSettings, MissingValue) as failure:
        sys.stderr.write(f"{failure}\n")
    except OSError as error:
        sys.stderr.write(f"{error.filename or arguments.state}: {error.strerror}; mend that and start again.\n")
    return 1


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local", description="Sanctum on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start it; stops on Ctrl-C")
    down = commands.add_parser("down", help="stop it; its data stays")
    for command in (up, down):
        command.add_argument("--state", type=Path, default=ROOT / ".sanctum", help="where its data is")
    up.add_argument("--detach", action="store_true", help="return when it is ready")
    up.add_argument("--port", type=_port, default=DEFAULT_PORT, help=f"public port (default {DEFAULT_PORT}, 0: any)")
    up.add_argument("--model-url", metavar="URL", help="an OpenAI-compatible API, ending in /v1, to use as the model")
    up.add_argument("--model", metavar="NAME", help="the model's name there")
    up.add_argument("--model-key-file", type=Path, metavar="FILE", help="holds the API key")
    up.add_argument("--model-ca-file", type=Path, metavar="FILE", help="roots that sign its certificate")
    up.add_argument("--memory", choices=STORES, default=STORES[0], help=f"where it remembers (default {STORES[0]})")
    up.add_argument(
        "--limits", choices=("dev", "staging", "prod"), default="dev", help="whose limits people have (default dev)"
    )
    arguments = parser.parse_args()
    if arguments.command == "up" and bool(arguments.model_url) != bool(arguments.model):
        up.error("--model-url (MODEL_URL) and --model (MODEL) go together")
    return arguments


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{text} is not a port: a number from 0 to {HIGHEST_PORT}")
    return int(text)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _up(state: State, arguments: argparse.Namespace, on_ready: Callable[[], None] = lambda: None) -> int:
    while True:
        with state.lock() as free:
            if free:
                return _run(state, arguments, on_ready)
        if url := state.address():
            _say(f"Sanctum is running at {url}")
            on_ready()
            return 0


def _run(state: State, arguments: argparse.Namespace, on_ready: Callable[[], None]) -> int:
    begun = time.monotonic()
    other = None
    if arguments.model_url:
        other = OtherModel(arguments.model_url, arguments.model, arguments.model_key_file, arguments.model_ca_file)
    port = arguments.port or free_port()
    check_free(port)
    supervisor = Supervisor(state.private("logs"), _say)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, supervisor.request_stop)
    try:
        sanctum = Sanctum(state, port, other, limits_of=arguments.limits, memory=arguments.memory)
        sanctum.start(supervisor, _say)
        state.announce(sanctum.url, sanctum.ca)
        _say(
            f"Sanctum is ready at {sanctum.url} after {time.monotonic() - begun:.1f} s "
            f"(its CA: {sanctum.ca}; stop it with {'`make down`' if arguments.detach else 'Ctrl-C'})"
        )
        on_ready()
        while supervisor.watch(sanctum.outdated, partial(sanctum.schedule().tend, supervisor.run_beside, _say)):
            sanctum.renew_certificates(supervisor)
            _say(f"Sanctum is ready again at {sanctum.url}")
    except Stopped:
        pass
    finally:
        supervisor.stop()
    return 0


def _detached(log_file: Path, run: Callable[[Callable[[], None]], int]) -> int:
    """``run`` in a process of its own; returns when it tells that it is ready, or has ended.

    From then on it writes to ``log_file``: whoever reads the output of ``make up`` sees its end.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)
        ready = os.read(reader, 1)
        return 0 if ready else os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.close(reader)
    os.setsid()

    def tell() -> None:
        with log_file.open("ab") as log, Path(os.devnull).open("rb") as nothing:
            for descriptor, file in ((0, nothing), (1, log), (2, log)):
                os.dup2(file.fileno(), descriptor)
        os.write(writer, b"1")
        os.close(writer)

    return run(tell)


if __name__ == "__main__":
    sys.exit(main())
