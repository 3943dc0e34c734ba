"""A use of a key says in which encryption contexts it is allowed: in as few words as possible, and never in too few."""

from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.assurance.access.contexts import Pair, summed
from infra.assurance.facts import Relation
from tests.infra.assurance.access.asked import FOREIGN, HOME, Resources, allow, arn, asked, key, policy, role

ROOT = f"root of {HOME}"
PURPOSE = "kms:EncryptionContext:purpose"
NAMES = "kms:EncryptionContextKeys"


def used(folder: Path, resources: Resources, who: str = "Role") -> set[str]:
    """What somebody may do with the key."""
    return {row[2] for row in asked(folder, resources).of(Relation.USES_KEY) if row[:2] == (who, "Key")}


def decrypts(folder: Path, condition: Resources, *more: Resources) -> set[str]:
    """In which contexts a role decrypts under a condition; `more` are statements of the key."""
    resources = {"Key": key(*more), "Role": role(allow("kms:Decrypt", arn("Key"), Condition=condition))}
    return {use.removeprefix("decrypt").strip() for use in used(folder, resources)}


def deny(condition: Resources, action: Any = "kms:Decrypt") -> Resources:
    return {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*", "Condition": condition}


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ({"StringEquals": {PURPOSE: "a"}}, {"with purpose=a"}),
        ({"StringEquals": {PURPOSE: ["a", "b"]}}, {"with purpose=a", "with purpose=b"}),
        ({"StringEquals": {PURPOSE: "a", "kms:EncryptionContext:tenant": "t"}}, {"with purpose=a, tenant=t"}),
        ({"StringEqualsIfExists": {PURPOSE: "a"}}, {"with purpose=a", "without purpose"}),
        ({"StringEquals": {PURPOSE: "a, tenant=b"}}, {'with purpose="a, tenant=b"'}),
        ({"StringNotEquals": {PURPOSE: "a"}}, {"with another purpose", "without purpose"}),
        ({"StringLike": {PURPOSE: "*"}}, {"with purpose"}),
        ({"StringLike": {PURPOSE: "a*"}}, {"with purpose=a*"}),
        ({"StringNotLike": {PURPOSE: "a*"}}, {"with another purpose", "without purpose"}),
        ({"StringEqualsIgnoreCase": {PURPOSE: "a"}}, {"with purpose=a", "with purpose=a in another case"}),
        ({"Null": {PURPOSE: "false"}}, {"with purpose"}),
        ({"Null": {PURPOSE: "true"}}, {"without purpose"}),
        ({"ForAllValues:StringEquals": {PURPOSE: "a"}}, {"with purpose=a", "without purpose"}),
        ({"ForAnyValue:StringEquals": {PURPOSE: "a"}}, {"with purpose=a"}),
        ({"NumericLessThan": {PURPOSE: "5"}}, {"with another purpose"}),
        ({"ForAnyValue:StringEquals": {NAMES: "purpose"}}, {"with purpose"}),
        ({"ForAllValues:StringEquals": {NAMES: "purpose"}},
         {"with purpose without another key", "without another key, purpose"}),
        ({"ForAnyValue:StringLike": {NAMES: "aws:*"}}, {"with aws:*"}),
        ({"Null": {NAMES: "true"}}, {"without another key"}),
        ({"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com", PURPOSE: "a"}},
         {"via s3.us-east-1.amazonaws.com with purpose=a"}),
    ],
)  # fmt: skip
def test_a_condition_is_told_as_the_contexts_that_fit_it(tmp_path: Path, condition: Resources, told: set[str]) -> None:
    assert decrypts(tmp_path, condition) == told


def test_what_is_allowed_in_every_context_says_none(tmp_path: Path) -> None:
    resources = {
        "Key": key(deny({"StringEquals": {PURPOSE: "a"}}, "kms:Encrypt")),
        "Role": role(allow("kms:Decrypt", arn("Key"))),
        "Other": role(allow("kms:Decrypt", arn("Key"), Condition={"StringEquals": {PURPOSE: "b"}})),
    }
    assert used(tmp_path, resources) == {"decrypt"}


def test_a_denial_leaves_all_other_values_that_any_policy_names(tmp_path: Path) -> None:
    other = role(allow("kms:Decrypt", arn("Key"), Condition={"StringEquals": {PURPOSE: ["a", "b"]}}))
    resources = {
        "Key": key(deny({"StringEquals": {PURPOSE: "a"}})),
        "Role": role(allow("kms:Decrypt", arn("Key"))),
        "Other": other,
    }
    assert used(tmp_path, resources) == {
        "decrypt with purpose=b",
        "decrypt with another purpose",
        "decrypt without purpose",
    }
    assert used(tmp_path / "other", resources, "Other") == {"decrypt with purpose=b"}


def test_values_of_statements_about_other_keys_are_no_business_of_this_one(tmp_path: Path) -> None:
    elsewhere = allow("kms:Decrypt", arn("Elsewhere"), Condition={"StringEquals": {PURPOSE: "elsewhere"}})
    resources = {
        "Key": key(deny({"StringEquals": {PURPOSE: "a"}})),
        "Elsewhere": key(),
        "Role": role(allow("kms:Decrypt", arn("Key")), elsewhere),
    }
    assert used(tmp_path, resources) == {"decrypt with another purpose", "decrypt without purpose"}


def test_a_boundary_narrows_the_contexts(tmp_path: Path) -> None:
    limit = policy(allow("kms:*", Condition={"StringEquals": {PURPOSE: "a"}}))
    boundary = {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": limit}}
    resources = {
        "Key": key(),
        "Limit": boundary,
        "Role": role(allow("kms:*"), PermissionsBoundary={"Ref": "Limit"}),
    }
    assert used(tmp_path, resources) == {"decrypt with purpose=a", "encrypt with purpose=a", "grant with purpose=a"}


@pytest.mark.parametrize(("spelled", "fits"), [("purpose", True), ("Purpose", True), ("purposes", False)])
def test_the_case_of_a_key_means_nothing_to_a_condition_on_its_value(
    tmp_path: Path, spelled: str, *, fits: bool
) -> None:
    """<https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-encryption-context-case>"""
    denial = deny({"StringEquals": {f"kms:EncryptionContext:{spelled}": "a"}})
    told = decrypts(tmp_path, {"StringEquals": {PURPOSE: "a"}}, denial)
    assert (told == set()) is fits


def test_the_case_of_a_key_counts_in_a_condition_on_keys(tmp_path: Path) -> None:
    denial = deny({"ForAnyValue:StringEquals": {NAMES: "purpose"}})
    assert decrypts(tmp_path, {"StringEquals": {PURPOSE: "a"}}, denial) == {"with PURPOSE=a"}


@pytest.mark.parametrize("denied", ["a*", "*a", "?b", "*"])
def test_a_value_that_several_patterns_cover_is_not_forgotten(tmp_path: Path, denied: str) -> None:
    """`ab…ba` is covered by both, `a…` and `…a` are each covered by one: what one leaves is told by the other."""
    told = decrypts(tmp_path, {"StringLike": {PURPOSE: "ab*ba"}}, deny({"StringNotLike": {PURPOSE: denied}}))
    assert ("with purpose=ab*ba" in told) is (denied != "?b")


def test_what_two_patterns_cover_together_is_told(tmp_path: Path) -> None:
    told = decrypts(tmp_path, {"StringLike": {PURPOSE: "a*"}}, deny({"StringNotLike": {PURPOSE: "*b"}}))
    assert "with purpose=a*" in told


def test_a_pattern_stands_for_what_no_policy_names(tmp_path: Path) -> None:
    other = role(allow("kms:Decrypt", arn("Key"), Condition={"StringLike": {PURPOSE: "a*"}}))
    own = role(allow("kms:Decrypt", arn("Key"), Condition={"StringEquals": {PURPOSE: "ab"}}))
    assert used(tmp_path, {"Key": key(), "Role": own, "Other": other}) == {"decrypt with purpose=ab"}


def test_a_service_between_may_open_other_contexts(tmp_path: Path) -> None:
    via = "s3.us-east-1.amazonaws.com"
    statements = [
        allow("kms:Decrypt", arn("Key"), Condition={"StringEquals": {PURPOSE: "a"}}),
        allow("kms:Decrypt", arn("Key"), Condition={"StringEquals": {"kms:ViaService": via}}),
    ]
    told = used(tmp_path, {"Key": key(), "Role": role(*statements)})
    assert told == {"decrypt with purpose=a", f"decrypt via {via}"}


def test_a_value_that_only_a_deployment_knows_may_be_any(tmp_path: Path) -> None:
    custom = {"Type": "Custom::Purpose", "Properties": {"ServiceToken": f"arn:aws:lambda:us-east-1:{HOME}:function:x"}}
    condition = {"StringEquals": {PURPOSE: {"Fn::GetAtt": "Custom.Name"}}}
    resources = {
        "Custom": custom,
        "Key": key(deny({"StringEquals": {PURPOSE: "a"}})),
        "Role": role(allow("kms:Decrypt", arn("Key"), Condition=condition)),
    }
    facts = asked(tmp_path, resources).facts
    told = sorted(fact["action"] for fact in facts if fact.relation is Relation.USES_KEY and " Role" in fact["who"])
    assert told == ["decrypt with another purpose", "decrypt with purpose=⟪Name of Custom::Purpose Custom⟫"]


def test_a_variable_may_be_any_value(tmp_path: Path) -> None:
    condition = {"StringEquals": {PURPOSE: "${aws:PrincipalTag/purpose}"}}
    assert "with purpose=${aws:PrincipalTag/purpose}" in decrypts(tmp_path, condition)


def test_a_key_is_administered_in_no_context(tmp_path: Path) -> None:
    condition = {"StringEquals": {PURPOSE: "a"}}
    resources = {"Key": key(), "Role": role(allow("kms:*", arn("Key"), Condition=condition))}
    assert "administer" not in used(tmp_path / "with", resources)
    condition = {"StringNotEquals": {PURPOSE: "a"}}
    resources = {"Key": key(), "Role": role(allow("kms:*", arn("Key"), Condition=condition))}
    assert "administer" in used(tmp_path / "without", resources)


def test_services_that_act_by_themselves_write_contexts_of_their_own(tmp_path: Path) -> None:
    own = {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:us-east-1:{HOME}:log-group:*"}}
    logs = allow("kms:Decrypt", Principal={"Service": "logs.amazonaws.com"}, Condition=own)
    resources = {"Key": key(logs), "Role": role(allow("kms:Decrypt", arn("Key")))}
    assert used(tmp_path / "service", resources, "service logs.amazonaws.com") == {"decrypt"}
    assert used(tmp_path / "role", resources) == {"decrypt"}
    resources["Key"] = key(logs, deny({"StringEquals": {"kms:EncryptionContext:aws:logs:arn": "mine"}}))
    assert used(tmp_path / "told", resources) == {
        "decrypt with another aws:logs:arn",
        "decrypt without aws:logs:arn",
    }
    assert used(tmp_path / "denied", resources, "service logs.amazonaws.com") == {"decrypt"}


@pytest.mark.parametrize(
    ("action", "use"),
    [
        ("kms:GenerateDataKeyWithoutPlaintext", {"make sealed keys"}),
        ("kms:GenerateDataKeyPairWithoutPlaintext", {"make sealed keys"}),
        ("kms:GenerateDataKey*", {"encrypt"}),  # who sees the key may seal one as well
        ("kms:GenerateMac", set[str]()),
    ],
)
def test_who_makes_keys_without_seeing_them_does_not_decrypt(tmp_path: Path, action: str, use: set[str]) -> None:
    assert used(tmp_path, {"Key": key(), "Role": role(allow(action, arn("Key")))}) == use


def test_sealed_keys_are_told_where_encrypting_does_not_cover_them(tmp_path: Path) -> None:
    statements = [
        allow("kms:Encrypt", arn("Key"), Condition={"StringEquals": {PURPOSE: "a"}}),
        allow("kms:GenerateDataKeyWithoutPlaintext", arn("Key"), Condition={"StringEquals": {PURPOSE: ["a", "b"]}}),
    ]
    told = used(tmp_path, {"Key": key(), "Role": role(*statements)})
    assert told == {"encrypt with purpose=a", "make sealed keys with purpose=b"}


@pytest.mark.parametrize(
    ("usage", "spec", "uses"),
    [
        ("GENERATE_VERIFY_MAC", "HMAC_256", {"sign", "verify"}),
        ("SIGN_VERIFY", "ECC_NIST_P256", {"sign", "verify"}),
        ("KEY_AGREEMENT", "ECC_NIST_P256", {"agree on keys"}),
        ("ENCRYPT_DECRYPT", "RSA_4096", {"decrypt", "encrypt"}),
    ],
)
def test_a_key_is_used_for_what_it_is_made_for(tmp_path: Path, usage: str, spec: str, uses: set[str]) -> None:
    made = key()
    made["Properties"] |= {"KeyUsage": usage, "KeySpec": spec}
    everything = {"Key": made, "Role": role(allow("kms:*", arn("Key")))}
    assert used(tmp_path / "all", everything) == uses | {"grant", "administer"}
    condition = {"StringEquals": {PURPOSE: "a"}}
    in_context = {"Key": made, "Role": role(allow("kms:*", arn("Key"), Condition=condition))}
    assert used(tmp_path / "context", in_context) == {"grant with purpose=a"}


def test_a_replica_is_of_its_originals_kind(tmp_path: Path) -> None:
    original = key()
    original["Properties"] |= {"KeyUsage": "GENERATE_VERIFY_MAC", "KeySpec": "HMAC_256", "MultiRegion": True}
    replica: Resources = {
        "Type": "AWS::KMS::ReplicaKey",
        "Properties": {"PrimaryKeyArn": arn("Original"), "KeyPolicy": original["Properties"]["KeyPolicy"]},
    }
    resources = {"Original": original, "Key": replica, "Role": role(allow("kms:*", arn("Key")))}
    assert used(tmp_path / "known", resources) == {"sign", "verify", "grant", "administer"}
    replica["Properties"]["PrimaryKeyArn"] = f"arn:aws:kms:eu-west-1:{FOREIGN}:key/mrk-1"
    told = used(tmp_path / "not", {"Key": replica, "Role": role(allow("kms:*", arn("Key")))})
    assert told == {"decrypt", "encrypt", "sign", "verify", "agree on keys", "grant", "administer"}


def test_anyone_in_some_contexts_hides_nobody_who_may_in_others(tmp_path: Path) -> None:
    anyone = allow("kms:Decrypt", Principal="*", Condition={"StringEquals": {PURPOSE: "open"}})
    foreign = allow("kms:Decrypt", Principal={"AWS": FOREIGN})
    resources = {"Key": key(anyone, foreign)}
    assert used(tmp_path / "anyone", resources, "anyone") == {"decrypt with purpose=open"}
    assert used(tmp_path / "foreign", resources, f"account {FOREIGN}") == {"decrypt"}


def test_too_many_kinds_of_contexts_are_refused_by_name(tmp_path: Path) -> None:
    many = {f"kms:EncryptionContext:k{number}": [f"v{value}" for value in range(30)] for number in range(3)}
    resources = {"Key": key(), "Role": role(allow("kms:Decrypt", arn("Key"), Condition={"StringEquals": many}))}
    refused = asked(tmp_path, resources).refused
    assert [("Key" in line, "encryption contexts, by k0, k1, k2" in line) for line in refused] == [(True, True)]


CHOICES = [
    tuple(Pair(f"{key}={value}", key, key, value) for value in values)
    for key, values in {"x": "ab", "y": "abc", "z": "ab"}.items()
]


@given(st.sets(st.sampled_from(list(product(*CHOICES)))))
def test_kinds_are_summed_up_without_one_more_or_less(allowed: set[tuple[Pair, ...]]) -> None:
    told = summed(allowed, CHOICES)
    covered = {kind for kind in product(*CHOICES) if any(kinds <= set(kind) for kinds in told)}
    assert covered == allowed
    assert not any(one < other for one, other in product(told, told))
    for kinds in told:  # none may say less
        for pair in kinds:
            wider = {kind for kind in product(*CHOICES) if kinds - {pair} <= set(kind)}
            assert not wider <= allowed
