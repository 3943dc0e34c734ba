"""What the templates mean: facts, in relations that claims speak about.

A relation is a table, a fact one row of it. Every fact carries what makes it true, for whoever has to mend it.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from infra.assurance.model.resource import Resource


class Relation(StrEnum):
    """The tables, named so that a row reads as a sentence."""

    REACHES = "reaches"
    OPENS = "opens"
    USES_KEY = "uses key"
    CONNECTS = "connects as"
    CALLS = "calls"
    ASSUMES = "assumes"
    PASSES = "passes"
    READS = "reads"
    PULLS = "pulls"
    HOP = "hop"
    AT_REST = "at rest"
    POSTURE = "posture"


COLUMNS: Final[Mapping[Relation, tuple[str, ...]]] = {
    # An interface (or the internet, or a prefix list) that can open a connection to another: "tcp 5432".
    Relation.REACHES: ("from", "to", "ports"),
    # A principal that gets a secret's value: it may ask for it and use the key that it is sealed with.
    Relation.OPENS: ("who", "secret"),
    # What a principal may do with a key: decrypt, encrypt, make sealed keys, grant, administer; and in which contexts.
    Relation.USES_KEY: ("who", "key", "action"),
    # A principal that may sign in to a database as one of its users, by IAM.
    Relation.CONNECTS: ("who", "database", "user"),
    # A principal that may send requests to an API that IAM guards (VPC Lattice, OpenSearch, API Gateway).
    Relation.CALLS: ("who", "api"),
    Relation.ASSUMES: ("who", "role"),
    Relation.PASSES: ("who", "role"),
    Relation.READS: ("who", "bucket"),
    # A principal that may pull images of a repository.
    Relation.PULLS: ("who", "repository"),
    # What an edge of `reaches` speaks: the protocol and the lowest version of TLS that is admitted, or "none".
    Relation.HOP: ("from", "to", "protocol", "tls"),
    # How a store is encrypted, and with whose key.
    Relation.AT_REST: ("store", "encryption", "key"),
    # A quality of a resource that decides how safely it runs: ("user" of a container, "deletion protection", …).
    Relation.POSTURE: ("resource", "quality", "value"),
}
"""What the columns of each are called, in the order they are read."""


UNDECIDED: Final = "target decides"
"""A value that no template tells, because the server's own program decides it: a claim names the test that measured."""


class Fact:
    """One row: true, because `evidence` says so in its templates, along `path`.

    `path` is the shortest chain of steps that makes it possible, each a sentence. `measured_by` names the test that
    measured what no template tells; without it, the fact was computed.
    """

    __slots__ = ("evidence", "measured_by", "path", "relation", "values")

    def __init__(
        self,
        relation: Relation,
        values: tuple[str, ...],
        evidence: tuple[Resource, ...] = (),
        path: tuple[str, ...] = (),
        measured_by: str = "",
    ) -> None:
        """
        Raises:
            ValueError: there are not as many values as its table has columns.
        """
        if len(values) != len(COLUMNS[relation]):
            raise ValueError(f"{relation} has the columns {COLUMNS[relation]}, not {len(values)}")
        self.relation, self.values = relation, values
        self.evidence, self.path, self.measured_by = evidence, path, measured_by

    def __eq__(self, other: object) -> bool:
        """Whether they say the same, for whatever reason."""
        return isinstance(other, Fact) and self.values == other.values and self.relation is other.relation

    def __hash__(self) -> int:
        return hash(self.values)

    def __repr__(self) -> str:
        return f"<{self}>"

    def __getitem__(self, column: str) -> str:
        """The value in a column."""
        return self.values[COLUMNS[self.relation].index(column)]

    def __str__(self) -> str:
        """The row as a reviewer reads it."""
        first, *rest = self.values
        return f"{first} {self.relation} {' · '.join(rest)}" if rest else first


def distinct(facts: Iterable[Fact]) -> list[Fact]:
    """Each fact once, as first met: worlds and paths say the same again."""
    return list(dict.fromkeys(facts))
