"""The evidence page in Markdown, for somebody who reviews the security of what is deployed and was not there.

The same templates and claims give the same page: it has no date.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from infra.assurance.check import Outcome
from infra.assurance.claims import State, Verdict
from infra.assurance.facts import COLUMNS, Relation
from infra.assurance.network.graph import mermaid
from infra.assurance.printed import summary, where_from

if TYPE_CHECKING:
    from infra.assurance.register import Decision

_HEAD: Final = """# Evidence

Each sentence below is a claim about what these templates deploy, with its owner and a verdict:

* **computed**: it follows from the templates alone: its rows are all facts there are, and exactly those allowed.
* **measured**: some of its facts are decided by a server's own program; the test that is named measured them.
* **broken**: there is a fact that is not allowed, or one is missing that should be there.

In rows that hold in several environments, `~/` is the environment's own stage and `{account}` its own account. \
What could not be read or modelled is listed as refused, and nothing may be relied on before it is resolved."""


def as_markdown(outcome: Outcome, accepted: Sequence["Decision"] = ()) -> str:
    """The page. `accepted` is what is accepted of the findings of known rules."""
    rows = [(verdict.claim.sentence, verdict.claim.owner, verdict.state) for verdict in outcome.verdicts]
    parts = [_HEAD, summary(outcome), _table(("claim", "owner", "verdict"), rows)]
    parts += [*_absent(outcome), *_refused(outcome), *_findings(outcome)]
    reaches = [fact for fact in outcome.facts if fact.relation is Relation.REACHES]
    parts += ["## Who reaches whom", f"```mermaid\n{mermaid(reaches).rstrip()}\n```"]
    for state in (State.BROKEN, State.COMPUTED, State.MEASURED):
        if verdicts := [verdict for verdict in outcome.verdicts if verdict.state is state]:
            parts += [f"## {state.capitalize()}", *(part for verdict in verdicts for part in _claim(verdict))]
    parts += _accepted(accepted)
    return "\n\n".join(parts) + "\n"


def _claim(verdict: Verdict) -> Iterator[str]:
    claim = verdict.claim
    yield f"### {claim.sentence}"
    by = f" by `{claim.measured_by}`" if claim.measured_by else ""
    yield f"{verdict.state.capitalize()}{by}. Owner: {claim.owner}."
    for title, facts in (("Not allowed", verdict.extra), ("Named by no test that measured", verdict.unmeasured)):
        if facts:
            yield f"{title}:"
            rows = [(str(fact), "; ".join(where_from(fact)), " → ".join(fact.path)) for _, fact in facts]
            yield _table(("fact", "comes from", "path"), rows)
    if verdict.missing:
        yield "Missing:"
        yield _table(("environment", "row"), [(place.name, row) for place, row in verdict.missing])
    if verdict.held:
        yield _facts(verdict)
    elif verdict.state is not State.BROKEN:
        yield "There is no such fact, and none is allowed."


def _facts(verdict: Verdict) -> str:
    """The facts that hold, those that environments share in one row."""
    places: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for place, fact in verdict.held:
        places[tuple(place.shortened(value) for value in fact.values)].append(place.name)
    if not verdict.claim.environments:
        return _table(COLUMNS[verdict.claim.relation], sorted(places))
    rows = [(*values, ", ".join(names)) for values, names in sorted(places.items())]
    return _table((*COLUMNS[verdict.claim.relation], "in"), rows)


def _absent(outcome: Outcome) -> Iterator[str]:
    if outcome.absent:
        yield f"Not in this assembly, so that nothing that claims say of it was asked for: {', '.join(outcome.absent)}."


def _refused(outcome: Outcome) -> Iterator[str]:
    if outcome.refused:
        yield "## Refused"
        rows = [(refused.where, refused.what, refused.template) for refused in outcome.refused]
        yield _table(("where", "what", "template"), rows)


def _findings(outcome: Outcome) -> Iterator[str]:
    if outcome.findings:
        yield "## Findings of known rules"
        rows = [(finding.rule, finding.resource, finding.message) for finding in outcome.findings]
        yield _table(("rule", "resource", "message"), rows)


def _accepted(rows: Sequence["Decision"]) -> Iterator[str]:
    if rows:
        yield "## Accepted findings of known rules"
        yield "Each is accepted of the named resources alone, until the day, on which somebody decides anew."
        yield _table(
            ("rule", "resource", "reason", "owner", "until"),
            [
                (
                    ", ".join(row.what["rules"]),
                    ", ".join(row.what["resources"]),
                    row.reason,
                    row.owner,
                    str(row.expires),
                )
                for row in rows
            ],
        )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("*", "\\*")
