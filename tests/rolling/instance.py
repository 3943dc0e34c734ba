"""One process of a service, started with what its ``service.toml`` names."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra.services import Service
from local.ports import free_port


@dataclass
class Instance:
    """A process; ``values`` are what the sources in its description are worth."""

    service: Service
    number: int
    values: Mapping[str, str]
    log: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    terminated_at: float = 0
    """When it was told to end, in milliseconds since the epoch."""
    nothing_new_at: float = 0
    """From when it got nothing new because it was to end."""

    @property
    def name(self) -> str:
        """Its name among the load balancer's targets."""
        return f"{self.service.name}-{self.number}"

    @property
    def told_at(self) -> float:
        """When it or its load balancer heard that it is to go, whoever did first."""
        return min(self.terminated_at, self.nothing_new_at)

    @property
    def exit_code(self) -> int | None:
        """How it ended."""
        return self.process and self.process.returncode

    def terminate(self) -> None:
        """Tell it to end."""
        assert self.process
        self.terminated_at = time.time() * 1000
        self.process.terminate()

    def start(self, task: str | None = None) -> subprocess.Popen[bytes]:
        """Start it, or one of its service's tasks."""
        values = {**self.values, "self.port": str(self.port)}
        service = self.service
        environment = service.environment("local", values, task) | service.secret_sources("local", values)
        environment["PYTHONPATH"] = f"{service.folder}:{service.folder.parent / 'chassis'}"
        environment |= {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_PROCESS_")}
        module = service.tasks[task].module if task else service.module
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", module]
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=service.folder)
        return self.process
