"""Read a file of claims.

    apart = ["guards-{account}"]      # stacks that an assembly may lack: then no row that names one is asked for

    [environments]                    # by name: the path of its stage in the assembly
    dev = "dev"

    [names]                           # what is written in braces, and stands for one thing or several
    lattice = "pl-0123456789abcdef0"
    tasks = ["~/Compute/backend", "~/Compute/migrate"]

    [[claim]]
    sentence = "Only the backend reaches the user database."
    owner = "security"                # who answers for it
    environments = ["dev"]            # default: all; []: of what belongs to no environment
    relation = "reaches"              # a table of facts, whose columns `about` and `allowed` name
    about = { to = "~/Data/Users" }   # the facts it speaks about; [{…}, {…}]: these or those; {}: all
    allowed = [                       # the facts that must be there, and no others
      { from = "{tasks}", ports = "tcp 5432" },
    ]
    measured_by = "tests/test_tls.py::test_lowest_version"   # of facts that templates leave to a server

A value is a pattern (`pattern.py`) or a list of them: in `about` any of them, in `allowed` each of them must be there.
A row takes a column that it leaves out from `about`. `~/` is the environment's stage, `{environment}` its name,
`{account}` and `{region}` where it is deployed, `{X.account}` and `{X.region}` where the environment or stack X is. A
row may be for some `environments` only.

What a key is used for may say in which encryption contexts (`access/uses.py`, `access/contexts.py`), one row for each
of the widest kinds of contexts that are allowed as a whole; a plain `decrypt` is in every context. Other contexts than
those of a claim are other rows, of which some claim has to speak:

    relation = "uses key"
    about = { key = "~/Data/PeopleKey" }
    allowed = [
      { who = "{backend}", action = ["decrypt with purpose=messages", "make sealed keys with purpose=messages"] },
      { who = "{root}", action = ["decrypt with another purpose", "decrypt without purpose", "administer"] },
      { who = "{owner}", action = "decrypt via s3.{region}.amazonaws.com with app=a, purpose=b without tenant" },
    ]

Secrets that are made while the application runs are called what a policy calls them, its stars written `[*]`
(`access/secrets.py`). A row stands for whoever may do it to any that the pattern covers:

    relation = "opens"
    about = { secret = "secret arn:aws:secretsmanager:{region}:{account}:secret:epochs/[*]" }
    allowed = [{ who = ["{backend}", "{root}"] }]

    relation = "posture"          # who may do what else to them
    about = { resource = "secret arn:aws:secretsmanager:{region}:{account}:secret:epochs/[*]" }
    allowed = [{ quality = ["made by", "changed by", "copied by", "deleted by"], value = "{root}" }]
"""

import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from infra.assurance.claims.claim import Claim, Claims, Patterns, Row
from infra.assurance.claims.place import names_home
from infra.assurance.facts import COLUMNS, Relation
from infra.assurance.refusal import Refused

_KEYS: Final = ("sentence", "owner", "environments", "relation", "about", "allowed", "measured_by")
_NEEDED: Final = ("sentence", "owner", "relation", "about", "allowed")


class _File(NamedTuple):
    """What all its claims refer to."""

    path: Path
    environments: Mapping[str, str]
    names: Mapping[str, tuple[str, ...]]

    def named(self, pattern: str) -> str:
        """A pattern with names of one thing replaced by it."""
        for name, texts in self.names.items():
            if len(texts) == 1:
                pattern = pattern.replace(f"{{{name}}}", texts[0])
        return pattern

    def meant(self, patterns: Iterable[str]) -> Iterator[str]:
        """The patterns; one with a name of several things as often as there are things."""
        for pattern in patterns:
            several = (name for name, texts in self.names.items() if len(texts) != 1 and f"{{{name}}}" in pattern)
            name = next(several, "") if "{" in pattern else ""
            if name:
                yield from self.meant(pattern.replace(f"{{{name}}}", text) for text in self.names[name])
            else:
                yield pattern


class _Wrong(Exception):
    """What is wrong with one claim, and what is allowed instead."""


def read_claims(file: Path) -> Claims:
    """The claims of a file.

    Raises:
        Refused: it is missing or no TOML, or claims in it are wrong: which, where, and what is allowed.
    """
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise Refused("there are no claims: write them, or name another file with --claims", where=str(file)) from error
    except (OSError, ValueError) as error:
        raise Refused(f"cannot be read: {error}", where=str(file)) from error
    try:
        _only(content, ("apart", "environments", "names", "claim"), "the file")
        names = _table(content.get("names", {}), "names")
        context = _File(
            file,
            _environments(content.get("environments", {})),
            {name: _texts(value, f"names: {name}") for name, value in names.items()},
        )
        apart = _texts(content.get("apart", []), "apart")
        entries = _tables(content.get("claim", []), "claim")
    except _Wrong as wrong:
        raise Refused(str(wrong), where=str(file)) from wrong
    claims: list[Claim] = []
    problems: list[str] = []
    for number, entry in enumerate(entries, 1):
        try:
            claims.append(_claim(entry, context, [claim.sentence for claim in claims]))
        except _Wrong as wrong:
            problems.append(f"claim {number}, “{entry.get('sentence', 'without a sentence')}”: {wrong}")
    if problems:
        raise Refused("\n  ".join(["holds wrong claims:", *problems]), where=str(file))
    named = {name: texts[0] for name, texts in context.names.items() if len(texts) == 1}
    return Claims(file, context.environments, tuple(claims), named, apart)


def _environments(value: object) -> Mapping[str, str]:
    table = _table(value, "environments")
    for name in table:
        _text(table, name)
    return cast("Mapping[str, str]", table)


def _claim(entry: Mapping[str, Any], file: _File, others: Collection[str]) -> Claim:
    _only(entry, _KEYS, "a claim")
    for key in _NEEDED:
        if key not in entry:
            raise _Wrong(f"{key}: is missing; a claim has {_listed(_NEEDED)}")
    if entry["sentence"] in others:
        raise _Wrong("sentence: another claim has the same; say how they differ")
    relation = _relation(entry)
    where = _chosen(entry, file.environments)
    abouts = cast("object", entry["about"] if isinstance(entry["about"], list) else [entry["about"]])
    about = tuple(_patterns(table, relation, "about", file, local=bool(where)) for table in _tables(abouts, "about"))
    if not about:
        raise _Wrong("about: is an empty list, which speaks of nothing; {} speaks of all")
    for alternative in about:
        if where and not any(names_home(file.named(text)) for texts in alternative.values() for text in texts):
            raise _Wrong(
                "about: names nothing of an environment (`~/…`, `{account}`): it would speak about all at once"
            )
    return Claim(
        sentence=_text(entry, "sentence"),
        owner=_text(entry, "owner"),
        relation=relation,
        environments=where,
        about=about,
        allowed=tuple(_row(row, relation, where, about, file) for row in _tables(entry["allowed"], "allowed")),
        measured_by=_test(entry, file.path),
    )


def _row(
    entry: Mapping[str, Any], relation: Relation, where: Sequence[str], about: Sequence[Patterns], file: _File
) -> Row:
    own = {key: value for key, value in entry.items() if key != "environments"}
    columns = {**(about[0] if len(about) == 1 else {}), **_patterns(own, relation, "allowed", file, local=bool(where))}
    if missing := [column for column in COLUMNS[relation] if column not in columns]:
        raise _Wrong(f"allowed: a row lacks {_listed(missing)}, which `about` does not say either")
    environments = _chosen(entry, where, key="allowed: environments")
    if where and not environments:
        raise _Wrong("allowed: environments: is empty, and the row for none")
    return Row(columns, environments)


def _relation(entry: Mapping[str, Any]) -> Relation:
    name = _text(entry, "relation")
    if name not in tuple(Relation):
        raise _Wrong(f"relation: {name} is none; there are {_listed(Relation)}")
    return Relation(name)


def _patterns(table: Mapping[str, Any], relation: Relation, key: str, file: _File, *, local: bool) -> Patterns:
    _only(table, COLUMNS[relation], f"{key}: `{relation}`")
    patterns = {column: tuple(file.meant(_texts(value, f"{key}: {column}"))) for column, value in table.items()}
    if empty := [column for column, texts in patterns.items() if not texts]:
        raise _Wrong(f"{key}: {_listed(empty)} is an empty list, which nothing can be")
    if not local and any(names_home(file.named(text)) for texts in patterns.values() for text in texts):
        raise _Wrong(f"{key}: `~/` and `{{account}}` are those of an environment, and the claim has none")
    return patterns


def _chosen(entry: Mapping[str, Any], among: Collection[str], key: str = "environments") -> tuple[str, ...]:
    if "environments" not in entry:
        return tuple(among)
    names = _texts(entry["environments"], key)
    if unknown := [name for name in names if name not in among]:
        raise _Wrong(f"{key}: {_listed(unknown)} is none of {_listed(among) or 'those, as there are none'}")
    return names


def _test(entry: Mapping[str, Any], file: Path) -> str:
    """The test that measures, which must exist: its path starts at a folder above the claims."""
    if "measured_by" not in entry:
        return ""
    name = _text(entry, "measured_by")
    path, _, test = name.partition("::")
    function = test.rpartition("::")[2].partition("[")[0]
    for folder in file.resolve().parents:
        if (folder / path).is_file():
            if function and re.search(rf"\bdef {re.escape(function)}\(", (folder / path).read_text(encoding="utf-8")):
                return name
            raise _Wrong(f"measured_by: {path} has no test {function or '(write path::name)'}")
    raise _Wrong(f"measured_by: there is no file {path}")


def _tables(value: object, key: str) -> list[Mapping[str, Any]]:
    if not isinstance(value, list):
        raise _Wrong(f"{key}: is no list of tables")
    return [_table(part, key) for part in cast("list[object]", value)]


def _table(value: object, key: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _Wrong(f"{key}: is no table")
    return cast("Mapping[str, Any]", value)


def _text(table: Mapping[str, Any], key: str) -> str:
    value = table[key]
    if not isinstance(value, str) or not value.strip():
        raise _Wrong(f"{key}: is no text")
    return value


def _texts(value: object, key: str) -> tuple[str, ...]:
    parts = cast("list[object]", value) if isinstance(value, list) else [value]
    if not all(isinstance(part, str) for part in parts):
        raise _Wrong(f"{key}: is neither a text nor a list of texts")
    return tuple(cast("list[str]", parts))


def _only(table: Iterable[str], allowed: Collection[str], what: str) -> None:
    if unknown := [key for key in table if key not in allowed]:
        raise _Wrong(f"{_listed(unknown)}: is unknown; {what} has {_listed(allowed)}")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
