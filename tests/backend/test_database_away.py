"""The database may go away and come back at any moment."""

import threading
from concurrent.futures import ThreadPoolExecutor

from tests.backend.ai_core_stand_in import AiCoreStandIn, Script
from tests.backend.process import Backend
from tests.support.person import Person, assert_problem
from tests.support.waiting import eventually


def _away(backend: Backend) -> None:
    backend.sql('ALTER DATABASE :"name" CONNECTION LIMIT 0', name=backend.database)
    backend.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


def _back(backend: Backend) -> None:
    backend.sql('ALTER DATABASE :"name" CONNECTION LIMIT -1', name=backend.database)


def test_without_the_database_the_process_lives_but_is_not_ready(carol: Person, own_backend: Backend) -> None:
    _away(own_backend)
    assert carol.http.get("/healthz").status_code == 200
    answer = carol.http.get("/readyz")
    assert_problem(answer, 503)
    assert_problem(carol.call("GET", "/conversations"), 503)
    _back(own_backend)
    eventually(lambda: carol.http.get("/readyz").status_code == 200)
    assert carol.call("GET", "/conversations").status_code == 200


def test_a_reply_is_stored_when_the_database_is_back(
    carol: Person, own_backend: Backend, ai_core: AiCoreStandIn
) -> None:
    hold = threading.Event()
    ai_core.script = Script(hold=hold)
    conversation = carol.converse()
    with ThreadPoolExecutor(1) as pool:
        reply = pool.submit(carol.say, conversation, "hello", Idempotency_Key="k")
        eventually(lambda: ai_core.questions)
        _away(own_backend)
        hold.set()
        eventually(lambda: "reply.not_stored" in own_backend.log.read_text())
        _back(own_backend)
        assert reply.result().status_code == 200
    assert carol.history(conversation)[1:] == [reply.result().json()]
