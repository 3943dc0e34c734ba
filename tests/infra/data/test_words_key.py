"""The key of people's data keys: who has them made, who unwraps which, and that nothing goes round it."""

import copy
from collections.abc import Iterator

from tests.infra.compute.parts import family, statements
from tests.infra.guards.evaluation import allows
from tests.infra.promise import Mutation, Stacks, promise, setting, without
from tests.infra.template import Json, as_list

KEY, REPLICA = "AWS::KMS::Key", "AWS::KMS::ReplicaKey"
PURPOSES = ("messages", "memories")
MAKE = "kms:GenerateDataKeyWithoutPlaintext"
ROUND = (
    "kms:CreateGrant",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyPair",
    "kms:GenerateDataKeyPairWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
"""Ways to get at a data key, or to put one in, without having it unwrapped by its service."""
WIDE = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}
"""Stands for a grant, and for whatever somebody's own policies allow."""


def _policies(stacks: Stacks) -> list[Json]:
    """Of the key and its replica."""
    words = [k["KeyPolicy"] for k in stacks.properties(KEY) if k["Description"].endswith(": words")]
    assert len(words) == 1
    return [*words, *(r["KeyPolicy"] for r in stacks.properties(REPLICA))]


def _wide(policy: Json) -> Json:
    wide = copy.deepcopy(policy)
    wide["Statement"].append(WIDE)
    return wide


def _roles(stacks: Stacks) -> dict[str, str]:
    """The ARN of every role that a task runs under, by its name, and of one that nobody named."""
    named = [r["RoleName"] for r in stacks["Compute"].properties("AWS::IAM::Role") if "RoleName" in r]
    return {name: f"arn:aws:iam::{stacks.settings.account.id}:role/{name}" for name in (*named, "Admin")}


def _asks(role: str, purpose: str | None, app: str = "sanctum") -> dict[str, str]:
    purposes = {"kms:EncryptionContext:purpose": purpose} if purpose else {}
    return {"aws:PrincipalArn": role, "kms:EncryptionContext:app": app} | purposes


def _unwrappers(stacks: Stacks) -> dict[str, set[str]]:
    backend, prepare = (family(stacks, "backend", task) for task in (None, "prepare_keys"))
    return {"messages": {backend, prepare}, "memories": {family(stacks, "ai_core")}}


def _in_policies(change: str, value: object, *, index: int) -> Mutation:
    """Set something of a statement of each policy, or (``None``) remove the statement."""

    def mutate(stacks: Stacks) -> None:
        for policy in _policies(stacks):
            if value is None:
                del policy["Statement"][index]
            else:
                policy["Statement"][index][change] = value

    return mutate


def _one_role_more(stacks: Stacks) -> None:
    for policy in _policies(stacks):
        for statement in policy["Statement"]:
            for test in statement.get("Condition", {}).values():
                if "aws:PrincipalArn" in test:
                    test["aws:PrincipalArn"] = [*as_list(test["aws:PrincipalArn"]), _roles(stacks)["Admin"]]


def _the_other_way_round(stacks: Stacks) -> None:
    for policy in _policies(stacks):
        for statement in policy["Statement"]:
            equal = statement.get("Condition", {}).get("StringEquals", {})
            purpose = equal.get("kms:EncryptionContext:purpose")
            if purpose in PURPOSES:
                equal["kms:EncryptionContext:purpose"] = PURPOSES[1 - PURPOSES.index(purpose)]


@promise(
    nobody_denied_messages=_in_policies("", None, index=6),
    nobody_denied_memories=_in_policies("", None, index=7),
    other_purposes=_in_policies("", None, index=8),
    one_role_more=_one_role_more,
    the_other_way_round=_the_other_way_round,
    never_allowed=_in_policies("", None, index=2),
    any_app=_in_policies("Condition", {}, index=8),
)
def test_each_purpose_is_unwrapped_by_its_own_service_however_much_others_are_allowed(stacks: Stacks) -> None:
    for policy in _policies(stacks):
        wide = _wide(policy)
        for name, arn in _roles(stacks).items():
            for purpose, unwrappers in _unwrappers(stacks).items():
                asks = _asks(arn, purpose)
                assert allows(policy, "kms:Decrypt", "*", asks) is (name in unwrappers), (name, purpose)
                assert allows(wide, "kms:Decrypt", "*", asks) is (name in unwrappers), (name, purpose)
            for purpose in (None, "credentials"):
                assert not allows(wide, "kms:Decrypt", "*", _asks(arn, purpose)), (name, purpose)
                assert not allows(policy, MAKE, "*", _asks(arn, purpose)), (name, purpose)
            assert not any(allows(policy, "kms:Decrypt", "*", _asks(arn, each, "other")) for each in PURPOSES)


@promise(
    not_denied=_in_policies("", None, index=5),
    one_role_more=_one_role_more,
    never_allowed=_in_policies("", None, index=1),
    one_purpose=_in_policies(
        "Condition",
        {"StringEquals": {"kms:EncryptionContext:purpose": "messages", "kms:EncryptionContext:app": "sanctum"}},
        index=1,
    ),
)
def test_data_keys_are_made_by_whoever_makes_accounts_whole(stacks: Stacks) -> None:
    makers = _unwrappers(stacks)["messages"]
    for policy in _policies(stacks):
        for name, arn in _roles(stacks).items():
            for purpose in PURPOSES:
                assert allows(policy, MAKE, "*", _asks(arn, purpose)) is (name in makers), (name, purpose)
                assert allows(_wide(policy), MAKE, "*", _asks(arn, purpose)) is (name in makers), (name, purpose)


@promise(
    grants=_in_policies("Action", list(ROUND[1:]), index=4),
    re_encryption=_in_policies("Action", [*ROUND[:-2], "kms:ReEncryptTo"], index=4),
    in_plain=_in_policies("Action", [a for a in ROUND if a != "kms:GenerateDataKey"], index=4),
    not_denied=_in_policies("", None, index=4),
    but_for_somebody=_in_policies("Condition", {"ArnNotEquals": {"aws:PrincipalArn": ["x"]}}, index=4),
)
def test_nobody_gets_round_the_key_by_grants_or_by_keys_that_they_see(stacks: Stacks) -> None:
    for policy in _policies(stacks):
        for arn in (*_roles(stacks).values(), "x"):
            for action in ROUND:
                assert not any(allows(_wide(policy), action, "*", _asks(arn, p)) for p in PURPOSES), action


@promise(locked=_in_policies("Action", "kms:PutKeyPolicy", index=4), no_administration=_in_policies("", None, index=0))
def test_an_operator_can_change_the_keys_policy_again(stacks: Stacks) -> None:
    for policy in _policies(stacks):
        admin = {"aws:PrincipalArn": _roles(stacks)["Admin"]}
        assert all(allows(policy, f"kms:{action}", "*", admin) for action in ("PutKeyPolicy", "CancelKeyDeletion"))


def _on_words(stacks: Stacks) -> Iterator[tuple[str, Json]]:
    return ((role, s) for role, s in statements(stacks) if "WordsKey" in str(s["Resource"]))


def _without_context(stacks: Stacks) -> None:
    for _, statement in _on_words(stacks):
        statement["Condition"] = {}


@promise(any_context=_without_context, none=without("AWS::IAM::Policy"))
def test_a_role_names_the_purpose_that_it_unwraps_and_has_no_other_right_to_the_key(stacks: Stacks) -> None:
    """So that it holds by either policy alone."""
    said: dict[tuple[str, str], set[str]] = {}
    for role, statement in _on_words(stacks):
        equal = statement.get("Condition", {}).get("StringEquals", {})
        assert equal.get("kms:EncryptionContext:app") == "sanctum", role
        purposes = as_list(equal.get("kms:EncryptionContext:purpose", "*"))
        for action in as_list(statement["Action"]):
            said.setdefault((role, action), set()).update(purposes)
    unwrappers = _unwrappers(stacks)
    assert said == {(role, "kms:Decrypt"): {purpose} for purpose in PURPOSES for role in unwrappers[purpose]} | {
        (role, MAKE): set(PURPOSES) for role in unwrappers["messages"]
    }


@promise(
    one_region=setting(KEY, "MultiRegion", value=False),
    unset=without(KEY, "MultiRegion"),
    no_replica=without(REPLICA),
    of_another=setting(REPLICA, "PrimaryKeyArn", "arn:aws:kms:us-east-1:777788889999:key/mrk-1"),
)
def test_the_key_is_there_wherever_its_backups_are(stacks: Stacks) -> None:
    """It cannot become a multi-Region key later, so it is one everywhere."""
    (words,) = [k for k in stacks.properties(KEY) if k["Description"].endswith(": words")]
    assert words.get("MultiRegion") is True
    replicas = {(name, r["PrimaryKeyArn"]) for name, t in stacks.templates.items() for r in t.properties(REPLICA)}
    account, backup = stacks.settings.account, stacks.settings.backup
    arn = f"arn:aws:kms:{account.region}:{account.id}:key/{backup.words_key}"
    assert replicas == ({("BackupCopy", arn)} if backup.words_key else set())
