"""An application that is deployed twice under the same names: nothing of one environment is taken for the other's."""

import re
from pathlib import Path

import pytest

from infra.assurance.facts import Fact
from tests.infra.assurance.assembly import write
from tests.infra.assurance.elsewhere.everything import everything
from tests.infra.assurance.other_application.foundation import foundation
from tests.infra.assurance.other_application.shop import shop
from tests.infra.assurance.other_application.store import store

ACCOUNTS = {"one": "222233334444", "other": "333344445555"}


def deploy(folder: Path, *stages: str) -> Path:
    stacks = {"bookshop-foundation": foundation(), "bookshop-store": store(), "bookshop-shop": shop()}
    for stage in stages:
        write(folder, stacks, stage=stage, account=ACCOUNTS[stage])
    return folder


def told_of(fact: Fact, stage: str) -> bool:
    return any(f" of {stage}/" in value for value in fact.values)


def plain(fact: Fact, stage: str) -> tuple[str, ...]:
    """Its values without what tells equal names apart."""
    return (fact.relation, *(re.sub(rf" \([^()]* of {stage}/[^()]*\)", "", value) for value in fact.values))


@pytest.mark.parametrize(("stage", "elsewhere"), [("one", "other"), ("other", "one")])
def test_each_environment_has_the_facts_that_it_has_alone(tmp_path: Path, stage: str, elsewhere: str) -> None:
    alone = {plain(fact, stage) for fact in everything(deploy(tmp_path / "alone", stage)).facts}
    both = everything(deploy(tmp_path / "both", "one", "other"))
    mine = {plain(fact, stage) for fact in both.facts if told_of(fact, stage)}
    assert not mine - alone
    assert {row for row in alone - mine if not row[1].startswith("bookshop-")} == set()  # a stack has its own name
    assert not [fact for fact in both.facts if told_of(fact, stage) and told_of(fact, elsewhere)]
    assert (both.refused, both.disagreements) == ([], [])
