"""What happens at the same moment."""

from concurrent.futures import ThreadPoolExecutor

from tests.backend.process import Backend
from tests.support.person import Person, assert_problem


def test_two_refreshes_at_once_do_not_both_win(alice: Person) -> None:
    body = {"refresh_token": alice.tokens["refresh_token"]}
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(alice.call, "POST", "/auth/refresh", json=body) for _ in range(8)]
    answers = [future.result() for future in asked]
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7
    alice.tokens = next(answer.json() for answer in answers if answer.status_code == 200)
    # The seven have shown that the token was copied: whoever won is out as well.
    assert_problem(alice.call("GET", "/conversations"), 401)


def test_guesses_made_at_once_are_not_answered_more_often(alice: Person, backend: Backend) -> None:
    with ThreadPoolExecutor(30) as pool:
        asked = [pool.submit(alice.sign_in, "wrong password") for _ in range(30)]
    statuses = [future.result().status_code for future in asked]
    assert sorted(statuses) == [401] * 10 + [429] * 20
    count = "SELECT count(*) FROM sign_in_failures WHERE account = sha256(:'email')"
    assert backend.sql(count, email=alice.email) == "10"


def test_people_who_sign_in_at_once_are_not_limited(alice: Person) -> None:
    with ThreadPoolExecutor(20) as pool:
        asked = [pool.submit(alice.sign_in) for _ in range(20)]
    statuses = [future.result().status_code for future in asked]
    assert statuses == [200] * 20


def test_an_email_registered_twice_at_once_has_one_account(anonymous: Person) -> None:
    body = {"email": anonymous.email, "password": "long enough"}
    with ThreadPoolExecutor(5) as pool:
        asked = [pool.submit(anonymous.call, "POST", "/auth/register", json=body) for _ in range(5)]
    answers = [future.result() for future in asked]
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 4
