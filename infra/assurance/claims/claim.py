"""A claim: a sentence with an owner, the facts it speaks about, and the rows that are allowed among them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from infra.assurance.facts import Relation

Patterns: TypeAlias = Mapping[str, tuple[str, ...]]
"""By column: any of these (`pattern.py`)."""

NO_NAMES: Final[Mapping[str, str]] = {}


class Row(NamedTuple):
    """Facts that are allowed, and each of which must be there: one for every combination of its patterns."""

    columns: Patterns
    environments: tuple[str, ...]


class Claim(NamedTuple):
    """`about` are alternatives: a fact that fits one of them is spoken about. `environments` is empty for a claim of
    what belongs to none. `measured_by` names the test that measured what the templates leave to a server."""

    sentence: str
    owner: str
    relation: Relation
    environments: tuple[str, ...]
    about: tuple[Patterns, ...]
    allowed: tuple[Row, ...]
    measured_by: str = ""


class Claims(NamedTuple):
    """A whole file of them; `environments` are paths of stages by name, `names` what `{…}` stands for.

    `apart` are stacks that an assembly may lack: what a row says of them is then not asked for.
    """

    file: Path
    environments: Mapping[str, str]
    claims: tuple[Claim, ...]
    names: Mapping[str, str] = NO_NAMES
    apart: tuple[str, ...] = ()
