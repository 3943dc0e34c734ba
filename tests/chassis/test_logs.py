"""A log line has no room for words that came from outside."""

import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from botocore.exceptions import ClientError
from chassis import logs

Line = dict[str, Any]
Lines = Callable[[], list[Line]]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    """What has been written since the last call; the test itself calls ``configure``, whose hooks end with it."""
    hooks = ((sys, "excepthook"), (sys, "unraisablehook"), (threading, "excepthook"), (logging, "raiseExceptions"))
    for module, name in hooks:
        monkeypatch.setattr(module, name, getattr(module, name))
    root, own = logging.getLogger(), logging.getLogger("sanctum")
    before = root.handlers[:], root.level, own.level
    yield lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    logging.captureWarnings(capture=False)
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    own.setLevel(before[2])


def test_an_event_has_its_name_and_its_fields(lines: Lines) -> None:
    logs.configure("info")
    logs.log("thing.done", number=3, share=0.5, fine=True)
    (line,) = lines()
    assert line.pop("time").endswith("+00:00")
    assert line == {"level": "info", "event": "thing.done", "number": 3, "share": 0.5, "fine": True}


def test_a_field_holds_numbers_ids_and_words_of_the_source_code(lines: Lines) -> None:
    logs.configure("info")
    logs.log("thing.done", method=logs.Word("GET"), user_id=UUID(int=7), nothing=None)
    (line,) = lines()
    assert (line["method"], line["user_id"], line["nothing"]) == ("GET", str(UUID(int=7)), None)


class Talkative(int):
    def __repr__(self) -> str:
        return "zymurgy"

    __str__ = __repr__


@pytest.mark.parametrize(
    "smuggled", ["zymurgy", b"zymurgy", ["zymurgy"], {"zymurgy": 1}, ValueError("zymurgy"), Talkative(7)], ids=type
)
def test_whatever_else_comes_in_spite_of_the_types_is_refused(lines: Lines, smuggled: Any) -> None:
    logs.configure("info")
    logs.log("thing.done", content=smuggled)
    logs.log(smuggled)
    logs.log("thing.done %s" % smuggled)  # noqa: UP031 - as somebody in a hurry writes it
    written = lines()
    assert written[0]["content"] == logs.REFUSED
    assert [line["event"] for line in written] == ["thing.done", logs.REFUSED, logs.REFUSED]
    assert "zymurgy" not in str(written)


def fail() -> None:
    try:
        int("zymurgy")
    except ValueError as error:
        raise KeyError("aardvark") from error


def test_of_an_exception_only_type_and_place_are_written(lines: Lines) -> None:
    logs.configure("info")
    with pytest.raises(KeyError) as caught:
        fail()
    logs.log("thing.failed", "error", caught.value)
    (line,) = lines()
    outer, cause = line["error"]
    assert outer.startswith("builtins.KeyError at test_logs.py:")
    assert cause.startswith("builtins.ValueError at test_logs.py:")
    assert "zymurgy" not in str(line)
    assert "aardvark" not in str(line)


def test_of_an_error_of_aws_the_operation_and_the_code_are_written_and_not_what_it_says() -> None:
    def told(code: str) -> str:
        return logs.describe(ClientError({"Error": {"Code": code, "Message": "of carol@example.org"}}, "GetObject"))[0]

    assert told("AccessDenied") == "botocore.exceptions.ClientError (GetObject: AccessDenied) at no frame"
    assert told("carol@example.org said") == "botocore.exceptions.ClientError at no frame"


def test_a_circle_of_causes_ends() -> None:
    one, two = ValueError(), KeyError()
    one.__cause__, two.__cause__ = two, one
    assert len(logs.describe(one)) <= 10


def test_a_library_says_where_and_not_what(lines: Lines) -> None:
    logs.configure("info")
    logging.getLogger("library").warning("zymurgy %s", "aardvark")
    logging.getLogger("library").info("not written at all")
    (line,) = lines()
    assert line["event"] == "library"
    assert line["logger"] == "library"
    assert str(line["place"]).startswith("test_logs:")
    assert "zymurgy" not in str(line)
    assert "aardvark" not in str(line)


def test_what_is_less_severe_than_asked_for_is_not_written(lines: Lines) -> None:
    logs.configure("info")
    logs.log("thing.detail", "debug")
    assert lines() == []
    logs.configure("debug")
    logs.log("thing.detail", "debug")
    assert [line["event"] for line in lines()] == ["thing.detail"]
