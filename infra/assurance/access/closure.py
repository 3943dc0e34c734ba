"""Who takes up a role has what the role has, and so on from role to role.

A service takes up a role on behalf of what runs as it, and nothing more: its rows stop there. So do those of an account
as a whole that may take up a role of its own: which of its principals may is decided one by one.
"""

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from infra.assurance.facts import Fact, Relation

_SERVICE: Final = "service "
# Of these, the first column is somebody who acts.
_INHERITED: Final = frozenset({
    Relation.OPENS, Relation.USES_KEY, Relation.CONNECTS, Relation.CALLS, Relation.ASSUMES, Relation.PASSES,
    Relation.READS, Relation.PULLS,
})  # fmt: skip


def inherited(facts: Sequence[Fact], accounts: Mapping[str, str]) -> Iterator[Fact]:
    """What everybody has by roles that they take up, each by the shortest way. `accounts` has each role's account."""
    own: dict[str, list[Fact]] = defaultdict(list)
    steps: dict[str, list[Fact]] = defaultdict(list)
    for fact in facts:
        who = fact.values[0]
        if fact.relation in _INHERITED:
            own[who].append(fact)
        if fact.relation is Relation.ASSUMES and _goes_on(fact, accounts):
            steps[who].append(fact)
    for who in steps:
        for way in _ways(who, steps):
            for fact in own[way[-1]["role"]]:
                if fact.values[1] != who:
                    yield _by(who, way, fact)


def _goes_on(fact: Fact, accounts: Mapping[str, str]) -> bool:
    who, role = fact.values
    return not who.startswith(_SERVICE) and role in accounts and who != f"account {accounts[role]}"


def _ways(who: str, steps: Mapping[str, list[Fact]]) -> Iterator[tuple[Fact, ...]]:
    seen = {who}
    queue: deque[tuple[Fact, ...]] = deque([()])
    while queue:
        way = queue.popleft()
        for step in steps.get(way[-1]["role"] if way else who, ()):
            if step["role"] not in seen:
                seen.add(step["role"])
                longer = (*way, step)
                yield longer
                queue.append(longer)


def _by(who: str, way: tuple[Fact, ...], fact: Fact) -> Fact:
    evidence = dict.fromkeys(resource for each in (*way, fact) for resource in each.evidence)
    path = tuple(sentence for each in (*way, fact) for sentence in each.path)
    return Fact(fact.relation, (who, *fact.values[1:]), tuple(evidence), path)
