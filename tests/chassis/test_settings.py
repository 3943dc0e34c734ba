"""Settings come from the environment alone, and what is wrong with them is said without showing them."""

import pytest
from chassis.settings import CommaSeparated, read_settings
from pydantic import SecretStr
from pydantic_settings import BaseSettings


class Example(BaseSettings):
    number: int
    names: CommaSeparated = ()
    key: SecretStr | None = None


@pytest.mark.parametrize(("written", "names"), [("", ()), ("a", ("a",)), ("a, b,,c ", ("a", "b", "c")), (" , ", ())])
def test_lists_are_separated_by_commas(written: str, names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBER", "1")
    monkeypatch.setenv("NAMES", written)
    assert read_settings(Example).names == names


def test_all_that_is_wrong_is_named_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class Another(Example):
        other: int

    monkeypatch.setenv("NUMBER", "zymurgy")
    with pytest.raises(SystemExit) as refusal:
        read_settings(Another)
    said = str(refusal.value)
    assert "NUMBER" in said
    assert "OTHER" in said
    assert "zymurgy" not in said
    assert len(said.splitlines()) == 1
