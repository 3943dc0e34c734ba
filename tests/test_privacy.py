"""The search for people's words in logs: it finds them, however they are written and wherever."""

import base64
import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote_plus

import httpx
import pytest

from tests.support import canaries, objection
from tests.support.canaries import Search, encodings
from tests.support.privacy import CONTROL, is_log, planted

ROOT = Path(__file__).parents[1]
WORDS = "Ich möchte 'kündigen' 🙂 und gehen"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("raw", WORDS.encode()),
        ("escaped", json.dumps({"message": [WORDS]}).encode()),
        ("escaped", ascii([WORDS]).encode()),
        ("url", quote_plus(WORDS).encode()),
        ("hex", b"(\\x00" + WORDS.encode().hex().encode() + b")"),
        ("hex", WORDS.encode().hex().upper().encode()),
        *(("base64", base64.b64encode(before + WORDS.encode() + b"...")) for before in (b"", b"a", b"ab", b"abc")),
        *(("base64", base64.urlsafe_b64encode(before + WORDS.encode())) for before in (b"", b"a", b"ab")),
    ],
)
def test_words_are_found_in_every_encoding(name: str, written: bytes) -> None:
    said = WORDS[: canaries.LONGEST].encode()
    assert (name, said) in set(Search({said}).find(b"2026-11-25 something " + written + b" and more\n"))


def test_other_words_are_not_found() -> None:
    assert not list(Search({b"correct horse battery staple"}).find(planted(CONTROL)))


def test_every_encoding_has_its_control() -> None:
    assert {name for name, _ in Search({CONTROL.encode()}).find(planted(CONTROL))} == encodings(b"any").keys()


def test_a_token_and_a_text_that_a_log_refused_are_found_whoever_they_belong_to() -> None:
    token = b"eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiI3NzcifQ.c2lnbmF0dXJlLXNpZ25hdHVyZQ"
    assert [name for name, _ in Search(()).find(b"Authorization: " + token)] == ["token"]
    assert [name for name, _ in Search(()).find(b'{"event": "a.b", "said": "refused"}')] == ["text that a log refused"]


def test_all_that_a_person_sends_and_gets_is_searched_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canaries, "words", set[bytes]())

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"items": [{"content": "the words of a reply"}], "refresh_token": "token-two"})

    with httpx.Client(transport=httpx.MockTransport(answer), event_hooks=canaries.HOOKS) as client:
        headers = {"Authorization": "Bearer token-one", "Idempotency-Key": "a key of mine"}
        client.post("https://sanctum.example", json={"content": "the words of a message"}, headers=headers)
        client.post("https://sanctum.example", data={"username": "a@example.com", "password": "a password"})
    assert canaries.words == {
        b"token-one", b"token-two", b"the words of a message", b"the words of a reply", b"a@example.com", b"a password",
        b"a key of mine",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["short", "0" * 32 + ".unknown", "ababababababab"])
def test_what_stands_anywhere_by_chance_is_not_searched_for(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(canaries, "words", set[bytes]())
    canaries.remember(text)
    assert not canaries.words


@pytest.mark.parametrize("name", ["log", "postgres.log", "backend.log.1", "logs/model", "x.err", "x.out"])
def test_what_processes_write_to_is_a_log(name: str) -> None:
    assert is_log(Path(name))


RUN = """
import base64, os
from tests.support import canaries, privacy

def test_says(tmp_path):
    canaries.remember("a word that leaks")

def test_prints():
    os.system("echo a word that {verb}")

def test_writes(tmp_path):
    (tmp_path / "service.log").write_bytes(base64.b64encode(b"say: a word that {verb}"))

def test_deletes(tmp_path):
    log = tmp_path / "gone" / "log"
    log.parent.mkdir()
    log.write_bytes(b"a word that {verb}".hex().encode())
    privacy.keep(log.parent)
    log.unlink()
"""


@pytest.mark.parametrize(("verb", "code"), [("leaks", objection.STATUS), ("stays", 0)])
def test_a_run_in_which_words_were_written_fails_and_says_where(tmp_path: Path, verb: str, code: int) -> None:
    (tmp_path / "test_run.py").write_text(RUN.format(verb=verb))
    command = [sys.executable, "-m", "pytest", "-p", "tests.support.privacy", "-p", "no:cacheprovider", "-n", "1"]
    done = subprocess.run(
        [*command, "-c", "/dev/null", f"--rootdir={tmp_path}", f"--basetemp={tmp_path}/temporary", str(tmp_path)],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stdout
    told = [line for line in done.stdout.splitlines() if line.startswith("A PERSON'S WORDS")]
    places = (("hex", "gone/log"), ("base64", "service.log"), ("raw", "test_prints"))
    assert len(told) == (len(places) if code else 0), done.stdout
    for encoding, place in places if code else ():
        assert any(f"({encoding})" in line and place in line for line in told)
    assert "BLIND" not in done.stdout
    assert "a word that" not in done.stdout
