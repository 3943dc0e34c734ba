"""A wrong file of claims says which claim is wrong, where in it, and what is allowed; nothing of it is judged."""

from pathlib import Path

import pytest

from infra.assurance.claims import read_claims
from infra.assurance.facts import Relation
from infra.assurance.refusal import Refused

RIGHT = {
    "sentence": '"Only the web reaches the shop."',
    "owner": '"security"',
    "relation": '"reaches"',
    "about": '{ to = "~/Shop" }',
    "allowed": '[{ from = "~/Web", ports = "tcp 5432" }]',
}


def claims_of(folder: Path, **changed: str) -> Path:
    """A file with one claim, right but for what is changed; `""` leaves a key out."""
    lines = [f"{key} = {value}" for key, value in {**RIGHT, **changed}.items() if value]
    file = folder / "claims.toml"
    file.write_text("\n".join(['[environments]\ndev = "dev"\nprod = "stages/prod"\n[[claim]]', *lines]))
    return file


def problem_of(file: Path) -> str:
    with pytest.raises(Refused) as refused:
        read_claims(file)
    return str(refused.value)


def test_a_claim_is_read_as_it_is_written(tmp_path: Path) -> None:
    claims = read_claims(claims_of(tmp_path, allowed='[{ from = ["~/Web", "~/Job"], ports = "all" }]'))
    (claim,) = claims.claims
    assert claims.environments == {"dev": "dev", "prod": "stages/prod"}
    assert (claim.sentence, claim.owner) == ("Only the web reaches the shop.", "security")
    assert claim.relation is Relation.REACHES
    assert claim.environments == ("dev", "prod")
    assert claim.about == ({"to": ("~/Shop",)},)
    assert claim.allowed[0].columns == {"to": ("~/Shop",), "from": ("~/Web", "~/Job"), "ports": ("all",)}


def test_a_name_may_stand_for_several_things(tmp_path: Path) -> None:
    file = claims_of(
        tmp_path, allowed='[{ from = ["{tasks}/*", "~/Job"], ports = "{port}" }]', about='{ to = "{shops}" }'
    )
    names = '[names]\ntasks = ["~/Web", "~/Batch"]\nshops = ["~/Shop", "~/Till"]\nport = "tcp 1"\n[environments]'
    file.write_text(file.read_text().replace("[environments]", names))
    claims = read_claims(file)
    (claim,) = claims.claims
    assert claim.about == ({"to": ("~/Shop", "~/Till")},)
    assert claim.allowed[0].columns["from"] == ("~/Web/*", "~/Batch/*", "~/Job")
    assert claim.allowed[0].columns["ports"] == ("{port}",)
    assert claims.names == {"port": "tcp 1"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"sentence": ""}, ["sentence: is missing"]),
        ({"owner": ""}, ["owner: is missing", "sentence, owner, relation, about, allowed"]),
        ({"owner": '" "'}, ["owner: is no text"]),
        ({"allowed": ""}, ["allowed: is missing"]),
        ({"relation": '"touches"'}, ["relation: touches is none", "reaches, opens, uses key, connects as"]),
        ({"about": '{ target = "~/Shop" }'}, ["target: is unknown", "`reaches` has from, to, ports"]),
        ({"about": "{ to = 5432 }"}, ["about: to: is neither a text nor a list of texts"]),
        ({"about": '{ to = "dev/Shop" }'}, ["about: names nothing of an environment (`~/…`, `{account}`)"]),
        ({"about": '"~/Shop"'}, ["about: is no table"]),
        ({"allowed": '{ from = "~/Web" }'}, ["allowed: is no list of tables"]),
        ({"allowed": '[{ from = "~/Web" }]'}, ["allowed: a row lacks ports"]),
        (
            {"allowed": '[{ who = "~/Web", ports = "all" }]'},
            ["who: is unknown; allowed: `reaches` has from, to, ports"],
        ),
        ({"environments": '["test"]'}, ["environments: test is none of dev, prod"]),
        (
            {"environments": '["dev"]', "allowed": '[{ from = "a", ports = "b", environments = ["prod"] }]'},
            ["allowed: environments: prod is none of dev"],
        ),
        ({"environments": "[]"}, ["about: `~/` and `{account}` are those of an environment, and the claim has none"]),
        ({"about": "[]"}, ["about: is an empty list, which speaks of nothing"]),
        ({"about": "{ to = [] }"}, ["about: to is an empty list"]),
        ({"allowed": '[{ from = [], ports = "all" }]'}, ["allowed: from is an empty list"]),
        (
            {"allowed": '[{ from = "a", ports = "b", environments = [] }]'},
            ["allowed: environments: is empty, and the row for none"],
        ),
        ({"alowed": "[]"}, ["alowed: is unknown; a claim has sentence, owner, environments"]),
        ({"measured_by": '"tests/test_none.py::test_it"'}, ["measured_by: there is no file tests/test_none.py"]),
        ({"measured_by": '"claims.toml::test_it"'}, ["measured_by: claims.toml has no test test_it"]),
        ({"measured_by": '"claims.toml"'}, ["measured_by: claims.toml has no test (write path::name)"]),
    ],
)
def test_what_is_wrong_is_named_with_what_is_allowed(tmp_path: Path, changed: dict[str, str], said: list[str]) -> None:
    problem = problem_of(claims_of(tmp_path, **changed))
    sentence = "without a sentence" if changed.get("sentence") == "" else "Only the web reaches the shop."
    for part in ("claims.toml", f"claim 1, “{sentence}”", *said):
        assert part in problem


def test_every_wrong_claim_is_named_at_once(tmp_path: Path) -> None:
    file = claims_of(tmp_path, owner="")
    file.write_text(file.read_text() + '\n[[claim]]\nsentence = "Another."\n')
    problem = problem_of(file)
    assert "claim 1, “Only the web reaches the shop.”: owner: is missing" in problem
    assert "claim 2, “Another.”: owner: is missing" in problem


def test_two_claims_with_one_sentence_are_refused(tmp_path: Path) -> None:
    file = claims_of(tmp_path)
    claim = file.read_text().partition("[[claim]]")[2]
    file.write_text(f"{file.read_text()}\n[[claim]]{claim}")
    assert "claim 2, “Only the web reaches the shop.”: sentence: another claim has the same" in problem_of(file)


def test_unknown_tables_are_named(tmp_path: Path) -> None:
    file = tmp_path / "claims.toml"
    file.write_text("[stages]\n[[claims]]\n")
    assert "stages, claims: is unknown; the file has apart, environments, names, claim" in problem_of(file)


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    file = tmp_path / "claims.toml"
    file.write_text("sentence =")
    assert "claims.toml: cannot be read: " in problem_of(file)


def test_a_missing_file_says_how_to_name_one(tmp_path: Path) -> None:
    assert "write them, or name another file with --claims" in problem_of(tmp_path / "claims.toml")


def test_the_test_that_measured_is_found_above_the_claims(tmp_path: Path) -> None:
    (tmp_path / "infra").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_tls.py").write_text("class T:\n    def test_lowest(self): ...\n")
    name = "tests/test_tls.py::T::test_lowest[TLSv1.2]"
    (claim,) = read_claims(claims_of(tmp_path / "infra", measured_by=f'"{name}"')).claims
    assert claim.measured_by == name
