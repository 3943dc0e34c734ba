"""The clock may be set while everything runs.

The process is given a clock that a file sets; the database is as if its clock had been set when all times that it
holds are put back.
"""

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from tests.backend.ai_core_stand_in import AiCoreStandIn, Script
from tests.backend.process import Backend
from tests.support.person import Person, assert_problem
from tests.support.waiting import eventually

SET_CLOCK = """
import pathlib, time
_time, _ahead = time.time, pathlib.Path(__file__).with_name("ahead")
time.time = lambda: _time() + float(_ahead.read_text())
"""
HOUR = 3600


@dataclass
class BackendWithAClock(Backend):
    """A backend whose clock is as many seconds ahead as a file says."""

    folder: Path = Path()

    def environment(self, task: str | None = None) -> dict[str, str]:
        """Python imports ``sitecustomize`` before anything else."""
        usual = super().environment(task)
        return usual | {"PYTHONPATH": f"{self.folder}:{usual['PYTHONPATH']}"}

    def set_ahead(self, seconds: float) -> None:
        """Set the process's clock."""
        (self.folder / "ahead").write_text(str(seconds))

    def put_back(self, times: Mapping[str, tuple[str, ...]], seconds: float) -> None:
        """Put columns of tables back in time."""
        for table, columns in times.items():
            values = ", ".join(f"{column} = {column} - make_interval(secs => {seconds})" for column in columns)
            self.sql(f"UPDATE {table} SET {values}")  # noqa: S608 - our own names


TIMES = {
    "sign_ins": ("expires_at",),
    "refresh_tokens": ("used_at",),
    "idempotency_keys": ("created_at", "lease_until"),
    "outbox": ("next_at",),
    "messages": ("created_at",),
    "conversations": ("created_at",),
}


@pytest.fixture
def clocked(deployed: Backend, ai_core: AiCoreStandIn, tmp_path: Path) -> Iterator[BackendWithAClock]:
    """Access tokens live 15 minutes, sign-ins two hours."""
    (tmp_path / "sitecustomize.py").write_text(SET_CLOCK)
    settings = {"settings.refresh_token_seconds": str(2 * HOUR)}
    name = f"clocked_{uuid4().hex}"
    backend = BackendWithAClock(deployed.postgres, deployed.certificates, ai_core.port, name, settings, folder=tmp_path)
    backend.copy(deployed)
    backend.set_ahead(0)
    with backend:
        yield backend


def test_nothing_is_lost_when_the_clock_is_set_an_hour_on(clocked: BackendWithAClock, ai_core: AiCoreStandIn) -> None:
    dora = Person(clocked.url, clocked.ca).register()
    conversation = dora.converse()
    ai_core.memory_away = True
    first = dora.say(conversation, "before").json()
    hold = threading.Event()
    ai_core.script = Script(hold=hold)
    with ThreadPoolExecutor(1) as pool:
        open_reply = pool.submit(dora.say, conversation, "meanwhile", Idempotency_Key="k")
        eventually(lambda: len(ai_core.questions) == 2)
        clocked.put_back(TIMES, HOUR)
        clocked.set_ahead(HOUR)
        hold.set()
        ai_core.memory_away = False
        second = open_reply.result()
    assert second.status_code == 200
    assert_problem(dora.call("GET", "/conversations"), 401)
    refreshed = dora.call("POST", "/auth/refresh", json={"refresh_token": dora.tokens["refresh_token"]})
    dora.tokens = refreshed.json()
    replies = [message for message in dora.history(conversation) if message["sender"] == "ai"]
    assert [reply["message_id"] for reply in replies] == [first["message_id"], second.json()["message_id"]]
    assert dora.say(conversation, "meanwhile", Idempotency_Key="k").json()["message_id"] == replies[1]["message_id"]
    memory = ai_core.memory(ai_core.questions[-1]["user_id"])
    eventually(lambda: len(memory.messages) == 4)
    dora.http.close()
