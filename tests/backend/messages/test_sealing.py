"""A database of before there were keys: what is plain in it is sealed while people use it, and then refused."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from backend.messages import sealing as sealing_module
from backend.messages.sealing import seal_plain
from chassis.direct import Direct

from local.failure import Failure
from tests.backend.ai_core_stand_in import AiCoreStandIn
from tests.backend.earlier import PASSWORD, add_messages, add_person, make_earlier
from tests.backend.process import Backend
from tests.support.person import Person

MESSAGES = 230
"""Of one person: several batches."""
PLAIN = "SELECT count(*) FROM messages WHERE get_byte(content, 0) = 0"


@pytest.fixture
def earlier(deployed: Backend, ai_core: AiCoreStandIn) -> Iterator[Backend]:
    """A backend that has just been deployed over a version of before there were keys; it does not run yet."""
    backend = Backend(deployed.postgres, deployed.certificates, ai_core.port, f"earlier_{uuid4().hex}")
    make_earlier(backend)
    yield backend
    if backend.process and backend.process.poll() is None:
        backend.stop()


def _deploy(backend: Backend) -> None:
    backend.run_task("migrate")
    with ThreadPoolExecutor(2) as pool:  # it may be started twice
        for done in [pool.submit(backend.run_task, "prepare_keys") for _ in range(2)]:
            done.result()


def _sign_in(backend: Backend, email: str) -> Person:
    person = Person(backend.url, backend.ca)
    person.email, person.password = email, PASSWORD
    assert person.sign_in().status_code == 200
    return person


def test_what_was_plain_is_sealed_while_people_use_it_and_refused_afterwards(earlier: Backend) -> None:
    email = f"{uuid4()}@example.com"
    conversation = add_messages(earlier, add_person(earlier, email), MESSAGES)
    _deploy(earlier)
    earlier.run_task("rotate_keys")
    assert earlier.sql(PLAIN) == str(MESSAGES)
    earlier.start()
    person = _sign_in(earlier, email)
    rounds = 0
    while rounds < 5 or earlier.sql(PLAIN) != "0":
        rounds += 1
        assert rounds < 50
        assert person.say(conversation, f"said later {rounds}").status_code == 200
        assert {message["content"][:5] for message in person.history(conversation)} <= {"said ", "Tell "}
    said = [f"said {number}" for number in range(1, MESSAGES + 1)]
    assert [word for word in earlier.words("sender = 'user'") if "later" not in word] == said
    earlier.run_task("migrate")
    user_id = earlier.sql("SELECT user_id FROM users")
    with pytest.raises(Failure, match="messages_sealed_check"):
        add_messages(earlier, UUID(user_id), 1)
    with pytest.raises(Failure, match="mac"):
        add_person(earlier, f"{uuid4()}@example.com")
    assert earlier.sql("SELECT count(*) FROM pg_indexes WHERE indexname = 'messages_plain'") == "0"
    assert person.say(conversation, "still here").status_code == 200
    person.http.close()


def test_it_goes_on_where_it_was_killed(earlier: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    several = [add_person(earlier, f"{uuid4()}@example.com") for _ in range(3)]
    for user_id in several:
        add_messages(earlier, user_id, 40)
    _deploy(earlier)
    monkeypatch.setattr(sealing_module, "BATCH", 7)

    async def run() -> None:
        direct = Direct(earlier.read_settings(), size=4)
        await direct.open()
        sealing = earlier.sealing(direct)
        broken_off = asyncio.create_task(seal_plain(direct, sealing))
        while await asyncio.to_thread(earlier.sql, PLAIN) == "120":
            assert not broken_off.done()
        broken_off.cancel()
        await asyncio.gather(broken_off, return_exceptions=True)
        left = int(earlier.sql(PLAIN))
        assert 0 < left < 120
        # Two others go on, at once: what one has taken the other leaves.
        sealed = await asyncio.gather(*(seal_plain(direct, earlier.sealing(direct)) for _ in range(2)))
        assert sum(sealed) == left
        sealing.keys.close()
        await direct.close()

    asyncio.run(run())
    assert earlier.sql(PLAIN) == "0"
    assert sorted(earlier.words()) == sorted(f"said {number}" for number in range(1, 41) for _ in several)


def test_plain_messages_are_not_refused_while_an_earlier_version_may_write_some(earlier: Backend) -> None:
    user_id = add_person(earlier, f"{uuid4()}@example.com")
    earlier.run_task("migrate")
    add_messages(earlier, user_id, 1)
    earlier.run_task("migrate")  # the deployment failed, and is done again
    add_messages(earlier, user_id, 1)
    assert earlier.sql(PLAIN) == "2"


def test_an_account_of_before_is_taken_as_it_is_once(earlier: Backend) -> None:
    email, other = f"{uuid4()}@example.com", f"{uuid4()}@example.com"
    add_person(earlier, email)
    _deploy(earlier)
    late = add_person(earlier, other)  # by the earlier version, which still served
    earlier.run_task("rotate_keys")
    earlier.start()
    _sign_in(earlier, email).http.close()
    person = Person(earlier.url, earlier.ca)
    person.email, person.password = other, PASSWORD
    assert person.sign_in().status_code == 401
    earlier.run_task("prepare_keys")
    assert person.sign_in().status_code == 200
    person.http.close()
    assert earlier.sql("SELECT count(*) FROM user_keys WHERE user_id = :'it'", it=str(late)) == "2"
