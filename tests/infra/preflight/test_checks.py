"""What all checks have in common."""

from collections.abc import Mapping

import pytest

from infra.preflight.check import Check, Inquiry
from infra.preflight.checks import CHECKS, CREDENTIALS
from infra.preflight.run import answers_of
from tests.infra.preflight import account, offered
from tests.infra.preflight.case import BAD, GOOD, UNKNOWN
from tests.infra.preflight.conftest import Ask, changed, inquiry
from tests.infra.preflight.offered import zones
from tests.infra.preflight.recorded import REFUSED, RecordedSession


def test_every_check_is_tried_with_an_account_that_is_ready_and_one_that_is_not() -> None:
    for check in CHECKS:
        states = {case.state for case in (*account.CASES, *offered.CASES) if case.check == check.title}
        assert {GOOD, BAD} <= states or check.title == "Service-linked roles"


@pytest.mark.parametrize("check", [CREDENTIALS, *CHECKS], ids=lambda check: check.title.replace(" ", "_"))
def test_what_may_not_be_asked_is_not_known_and_names_the_permission(check: Check[Inquiry]) -> None:
    settings: dict[str, Mapping[str, object]] = {
        "Certificate": account.OWN_CERTIFICATE,
        "Key of the model": account.OUTSIDE,
        "Connection to GitHub": account.TOOLING,
        "Signatures": account.SIGNED,
    }
    environment = changed("prod", settings.get(check.title, {}))
    session = RecordedSession({}, otherwise=REFUSED)
    answers = answers_of(check, inquiry(session, environment))
    assert [answer.state for answer in answers] == [UNKNOWN]
    service, operation = session.asked[0][0].split(".")
    prefix = {"opensearch": "es", "service-quotas": "servicequotas"}.get(service, service)
    assert f"{prefix}:{operation} is missing" in answers[0].text


def test_an_answer_of_an_unexpected_form_is_not_known_and_costs_no_other_answer(ask: Ask) -> None:
    half = zones()["ec2.DescribeAvailabilityZones"]["AvailabilityZones"]
    answers = ask("Zones", {"ec2.DescribeAvailabilityZones": {"AvailabilityZones": [*half, {"ZoneId": "use1-az9"}]}})
    assert [answer.state for answer in answers] == [UNKNOWN]
    assert "was not understood: KeyError" in answers[0].text
    answers = ask(
        "Bootstrap", {"ssm.GetParameter": {"Parameter": {"Value": "30"}}, "cloudformation.DescribeStacks": REFUSED}
    )
    assert [answer.state for answer in answers] == [GOOD, UNKNOWN]
