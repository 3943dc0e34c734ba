"""What may be a password, and that it is taken as it was typed."""

import pytest
from backend.auth.guessable import leaked, not_guessable

from tests.support.person import Person, assert_problem


@pytest.mark.parametrize("password", ["iloveyou1", "ILoveYou1", "Sanctum-2026!", "careercoach99"])
def test_a_password_that_is_tried_first_is_refused(alice: Person, password: str) -> None:
    registration = {"email": alice.email, "password": password}
    problem = assert_problem(alice.call("POST", "/auth/register", json=registration), 422)
    assert problem["errors"][0]["pointer"] == "/body/password"
    change = {"old_password": alice.password, "new_password": password}
    problem = assert_problem(alice.call("POST", "/auth/password", json=change), 422)
    assert problem["errors"][0]["pointer"] == "/body/new_password"
    assert password not in str(problem)


@pytest.mark.parametrize("password", ["qjzwkxvy", "72903518", "my coach is a red bird", "ööööööö!", "        "])
def test_nothing_else_is_demanded_of_a_password(password: str) -> None:
    assert not_guessable(password) == password


def test_the_leaked_passwords_are_those_the_length_allows_and_more_than_3000() -> None:
    assert len(leaked()) > 3000
    assert all(len(password) >= 8 and password == password.casefold() for password in leaked())


def test_a_password_is_taken_as_it_was_typed(anonymous: Person) -> None:
    anonymous.password = f"  Gärtnern {'und lesen ' * 20} "
    anonymous.register()
    typed = anonymous.password
    for other in (typed.strip(), typed.lower(), typed[:-2], typed.replace("ä", "a\u0308")):
        assert_problem(anonymous.sign_in(other), 401)
    assert anonymous.sign_in(typed).status_code == 200
