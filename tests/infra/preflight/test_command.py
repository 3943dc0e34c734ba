"""The command as an operator meets it."""

import json
import threading
import time
from collections.abc import Callable

import pytest

from infra.preflight import __main__ as command
from infra.preflight.answers import Answer, State, bad, good
from infra.preflight.aws import Aws
from infra.preflight.check import Check, Inquiry
from infra.preflight.run import ask_all
from tests.infra.preflight.conftest import PIPELINE, changed, inquiry
from tests.infra.preflight.recorded import REFUSED, Json, RecordedSession, Refused

DEV = changed("dev", {})
CALLER = {"sts.GetCallerIdentity": {"Account": DEV.account.id, "Arn": "arn:aws:iam::111122223333:user/operator"}}


Find = Callable[[RecordedSession], RecordedSession]


@pytest.fixture
def find(monkeypatch: pytest.MonkeyPatch) -> Find:
    """Let the command find an account with recorded answers."""

    def _find(session: RecordedSession) -> RecordedSession:
        def account(region: str) -> Aws:
            assert region == DEV.account.region
            return inquiry(session, DEV).aws

        monkeypatch.setattr(command, "Aws", account)
        return session

    return _find


def test_without_credentials_it_says_how_to_get_some_and_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    assert command.main(["dev"]) == 1
    written = capsys.readouterr()
    assert "there are none that AWS accepts" in written.out
    assert "aws sso login" in written.out
    assert written.err == ""


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidClientTokenId"])
def test_credentials_that_are_no_longer_good_are_told_apart_from_those_that_may_not(
    code: str, find: Find, capsys: pytest.CaptureFixture[str]
) -> None:
    find(RecordedSession({"sts.GetCallerIdentity": Refused(f"{code}: no")}))
    assert command.main(["dev"]) == 1
    assert "there are none that AWS accepts" in capsys.readouterr().out


def test_with_credentials_of_another_account_nothing_else_is_asked(
    find: Find, capsys: pytest.CaptureFixture[str]
) -> None:
    other = {"Account": "000011112222", "Arn": "arn:aws:iam::000011112222:user/x"}
    session = find(RecordedSession({"sts.GetCallerIdentity": other}))
    assert command.main(["dev"]) == 1
    assert [name for name, _ in session.asked] == ["sts.GetCallerIdentity"]
    assert "they are of account 000011112222, and account.id is 111122223333" in capsys.readouterr().out


def test_what_is_not_known_does_not_stop_a_deployment_and_is_counted(
    find: Find, capsys: pytest.CaptureFixture[str]
) -> None:
    find(RecordedSession(CALLER, otherwise=REFUSED))
    assert command.main(["dev"]) == 0
    written = capsys.readouterr().out
    assert written.startswith("good       Credentials: arn:aws:iam::111122223333:user/operator")
    assert "dev: 5 good, 0 bad, 15 not known" in written.splitlines()


def test_something_bad_ends_with_1_and_says_what_to_do(
    find: Find, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    find(RecordedSession(CALLER, otherwise=REFUSED))
    checks: list[Check[Inquiry]] = [Check("One", lambda _: [good("a")]), Check("Two", lambda _: [bad("b", "c")])]
    monkeypatch.setattr(command, "CHECKS", checks)
    assert command.main(["dev"]) == 1
    assert "To do before a deployment:\n  Two: c\n" in capsys.readouterr().out
    assert command.main(["dev", "--json"]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {"check": "Two", "state": "bad", "text": "b", "remedy": "c"} in lines


def test_wrong_settings_are_told_without_a_question(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["production"]) == 1
    assert "the environments are dev, prod, staging" in capsys.readouterr().err


def test_questions_are_asked_at_the_same_time_and_those_without_an_answer_are_given_up() -> None:
    both, never = threading.Barrier(2), threading.Event()

    def meets(_: Inquiry) -> list[Answer]:
        both.wait(timeout=10)
        return [good("met")]

    def waits(_: Inquiry) -> list[Answer]:
        never.wait()
        return []

    checks = [Check("One", meets), Check("Two", meets), Check("Three", waits)]
    began = time.monotonic()
    answers = {check.title: [a.state for a in given] for check, given in ask_all(checks, inquiry(None, DEV), 1)}
    assert time.monotonic() - began < 10
    assert answers == {"One": [State.GOOD], "Two": [State.GOOD], "Three": [State.UNKNOWN]}
    never.set()


def test_the_account_of_the_pipeline_is_asked_for_its_connection_and_its_builds(
    find: Find, capsys: pytest.CaptureFixture[str]
) -> None:
    kinds = ("ARM/Small", "Linux/Small", "Linux/Medium", "Linux/Large")
    builds = [f"Concurrently running builds for {kind} environment" for kind in kinds]
    answers: dict[str, Json | Refused] = {
        "sts.GetCallerIdentity": {"Account": PIPELINE.account.id, "Arn": "arn:aws:iam::999900001111:user/operator"},
        "iam.GetPolicy": {"Policy": {}},
        "ssm.GetParameter": {"Parameter": {"Value": "30"}},
        "codeconnections.GetConnection": {"Connection": {"ConnectionName": "g", "ConnectionStatus": "AVAILABLE"}},
        "service-quotas.ListServiceQuotas": {"Quotas": [{"QuotaName": name, "Value": 1} for name in builds]},
        "service-quotas.ListAWSDefaultServiceQuotas": {"Quotas": []},
    }
    session = find(RecordedSession(answers))
    assert command.main(["pipeline"]) == 0
    assert "pipeline: 11 good, 0 bad, 0 not known" in capsys.readouterr().out
    # Copies of backups are in another region, where the pipeline keeps templates.
    assert sum(name == "ssm.GetParameter" for name, _ in session.asked) == 2
    answers["codeconnections.GetConnection"] = {"Connection": {"ConnectionStatus": "PENDING"}}
    answers["service-quotas.ListServiceQuotas"] = {"Quotas": [{"QuotaName": name, "Value": 0} for name in builds]}
    find(RecordedSession(answers))
    assert command.main(["pipeline"]) == 1
    written = capsys.readouterr().out
    assert "finish the handshake with GitHub" in written
    assert "ask for 1 of “Concurrently running builds for ARM/Small environment” of codebuild" in written
