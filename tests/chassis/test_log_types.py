"""The type checker lets no text into a log line: each error below is one, or `make check` fails."""
# pyright: reportUnnecessaryTypeIgnoreComment=error

import pytest
from chassis.logs import Word, log


@pytest.mark.parametrize("said", ["anything"])
def test_text_is_no_field_and_no_name_of_an_event(said: str, capsys: pytest.CaptureFixture[str]) -> None:
    log("thing.done", content=said)  # pyright: ignore[reportArgumentType] - text
    log("thing.done", content=Word(said))  # pyright: ignore[reportArgumentType] - text that is not of the source code
    log(said)  # pyright: ignore[reportArgumentType] - text
    log(f"thing.{said}")  # pyright: ignore[reportArgumentType] - text in a name
    assert not any(capsys.readouterr())  # not configured in this process: nothing is written anywhere
