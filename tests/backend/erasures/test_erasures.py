"""Whoever had themselves erased has a receipt, which says in the end that no backup can give them back."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from tests.backend.process import Backend
from tests.support.person import Person, assert_problem


def test_an_erasure_is_answered_with_a_receipt_that_everybody_with_its_id_may_read(
    alice: Person, anonymous: Person
) -> None:
    erased = alice.call("DELETE", "/users/me")
    assert erased.status_code == 202
    receipt = erased.json()
    assert receipt.keys() == {"erasure_id", "erased_at", "backups_unreadable_at"}
    assert receipt["backups_unreadable_at"] is None
    assert abs(datetime.fromisoformat(receipt["erased_at"]) - datetime.now(UTC)) < timedelta(minutes=1)
    assert erased.headers["location"] == f"/api/v1/erasures/{receipt['erasure_id']}"
    assert anonymous.http.get(erased.headers["location"]).json() == receipt


def test_an_id_that_was_given_to_nobody_leads_nowhere(anonymous: Person) -> None:
    assert_problem(anonymous.call("GET", f"/erasures/{uuid4()}"), 404)
    assert_problem(anonymous.call("GET", "/erasures/1"), 422)


def test_a_receipt_says_nothing_of_who_it_was(alice: Person, backend: Backend) -> None:
    user_id = backend.sql("SELECT user_id FROM users WHERE email = :'email'", email=alice.email)
    erasure = alice.call("DELETE", "/users/me").json()["erasure_id"]
    row = backend.sql("SELECT erasures::text FROM erasures WHERE erasure_id = :'it'", it=erasure)
    assert user_id not in row
    assert user_id != erasure
    columns = "SELECT column_name FROM information_schema.columns WHERE table_name = 'erasures' ORDER BY column_name"
    assert backend.sql(columns).split() == ["backups_unreadable_at", "epoch", "erased_at", "erasure_id"]


def test_somebody_erased_twice_at_once_has_one_receipt(alice: Person, backend: Backend) -> None:
    def count() -> int:
        return int(backend.sql("SELECT count(*) FROM erasures"))

    before = count()
    with ThreadPoolExecutor(4) as pool:
        answers = [asked.result() for asked in [pool.submit(alice.call, "DELETE", "/users/me") for _ in range(4)]]
    assert sorted(answer.status_code for answer in answers) == [202, 401, 401, 401]
    assert count() == before + 1


def test_after_the_roll_the_receipt_says_so_and_everybody_else_goes_on(carol: Person, own_backend: Backend) -> None:
    """With a process that knew the keys of before the roll, one that starts after it, and one that registers."""
    dora = Person(own_backend.url, own_backend.ca).register()
    talks = {person.email: person.converse() for person in (carol, dora)}
    carol.say(talks[carol.email], "before the roll")
    path = dora.call("DELETE", "/users/me").headers["location"]
    with ThreadPoolExecutor(1) as pool:
        rolling = pool.submit(own_backend.run_task, "roll_keys")
        said = 0
        while not rolling.done():
            assert carol.say(talks[carol.email], f"during the roll {said}").status_code == 200
            newcomer = Person(own_backend.url, own_backend.ca).register()
            assert newcomer.say(newcomer.converse(), "just come").status_code == 200
            newcomer.http.close()
            said += 1
        rolling.result()
    assert carol.http.get(path).json()["backups_unreadable_at"]
    assert said
    own_backend.stop()
    own_backend.start()
    (talk,) = carol.call("GET", "/users/me/export").json()["conversations"]
    assert talk["messages"][0]["content"] == "before the roll"
    assert carol.say(talks[carol.email], "after the roll").status_code == 200
    assert own_backend.sql("SELECT count(*) FROM user_keys WHERE epoch = 1") == "0"
    dora.http.close()
