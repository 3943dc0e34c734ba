"""One check, asked of one account."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from infra.preflight.answers import State
from infra.preflight.check import Check, Inquiry
from infra.preflight.run import answers_of
from tests.infra.preflight.conftest import Ask, changed, inquiry
from tests.infra.preflight.recorded import REFUSED, Json, RecordedSession, Refused

GOOD, BAD, UNKNOWN = State.GOOD, State.BAD, State.UNKNOWN


@dataclass(frozen=True)
class Case:
    """One check, one account: ``says`` is in what it says, or in what to do."""

    check: str
    name: str
    answers: Mapping[str, Json | Refused]
    state: State
    says: str
    of: str = "prod"
    settings: Mapping[str, object] = field(default_factory=dict[str, object])
    servers: set[str] | None = None

    def __str__(self) -> str:
        return f"{self.check}-{self.name}".replace(" ", "_")

    def judge(self, ask: Ask) -> None:
        """The check finds what is to be found, and what is bad has a remedy."""
        answers = ask(self.check, self.answers, of=self.of, settings=self.settings, servers=self.servers)
        found = [a for a in answers if self.says in a.text or self.says in a.remedy]
        assert [a.state for a in found][:1] == [self.state], answers
        if self.state is GOOD:
            assert {a.state for a in answers} <= {GOOD, UNKNOWN}
        assert all(a.remedy for a in answers if a.state is BAD)


def judge_refused(check: Check[Inquiry], settings: Mapping[str, object]) -> None:
    """What may not be asked is not known, and the permission is named."""
    session = RecordedSession({}, otherwise=REFUSED)
    answers = answers_of(check, inquiry(session, changed("prod", settings)))
    assert [answer.state for answer in answers] == [UNKNOWN]
    service, operation = session.asked[0][0].split(".")
    prefix = {"opensearch": "es", "service-quotas": "servicequotas"}.get(service, service)
    assert f"{prefix}:{operation} is missing" in answers[0].text
