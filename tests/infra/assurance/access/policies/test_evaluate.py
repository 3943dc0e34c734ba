"""Who is allowed what, in the cases that AWS documents one by one."""

from collections.abc import Sequence
from typing import Any, Final

import pytest

from infra.assurance.access.policies.document import Document
from infra.assurance.access.policies.evaluate import Decision, Kind, Principal, Request, ResourceKind, decide
from infra.assurance.access.policies.patterns import anything
from infra.assurance.refusal import Refused

OWN, OTHER = "111122223333", "999988887777"
ROLE: Final = f"arn:aws:iam::{OWN}:role/team/worker"
USER: Final = f"arn:aws:iam::{OWN}:user/ann"
ROOT: Final = f"arn:aws:iam::{OWN}:root"
SESSION: Final = f"arn:aws:sts::{OWN}:assumed-role/worker/session"
SECRET: Final = f"arn:aws:secretsmanager:eu-central-1:{OWN}:secret:db-a1"
GET: Final = "secretsmanager:GetSecretValue"


def policy(*statements: Any) -> Document:
    return Document.parse({"Version": "2012-10-17", "Statement": list(statements)}, "Shop/Policy")


def allow(action: str = "*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(**more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": "*", "Resource": "*", **more}


def lets_in(principal: Any, **more: Any) -> Document:
    return policy(allow(Principal=principal, **more))


def role(*identity: Document, arn: str = ROLE, boundary: Document | None = None, **more: Any) -> Principal:
    return Principal(arn, arn.split(":")[4], Kind.ROLE, identity, boundary, **more)


def user(*identity: Document, boundary: Document | None = None) -> Principal:
    return Principal(USER, OWN, Kind.USER, identity, boundary)


ANYTHING: Final = policy(allow())
NOTHING: Final = policy(allow("s3:ListAllMyBuckets"))
ANYONE: Final = Principal("*", "", Kind.ANYONE)
OF_OWN: Final = Principal(ROOT, OWN, Kind.ROOT)
STRANGER: Final = Principal(f"arn:aws:iam::{OTHER}:root", OTHER, Kind.ACCOUNT)
SERVICE: Final = Principal("sns.amazonaws.com", "", Kind.SERVICE)


def asked(
    who: Principal,
    resource_policy: Document | None = None,
    kind: ResourceKind = ResourceKind.ORDINARY,
    limits: Sequence[Sequence[Document]] = (),
    **known: tuple[str, ...],
) -> Decision:
    context = {key.replace("_", ":"): values for key, values in known.items()}
    return decide(
        Request(who, GET, SECRET, OWN, context), resource_policy=resource_policy, resource_kind=kind, limits=limits
    )


def allowed(*arguments: Any, **more: Any) -> bool:
    return asked(*arguments, **more).allowed


def test_in_one_account_either_policy_is_enough_and_a_denial_decides() -> None:
    assert allowed(role(ANYTHING))
    assert not allowed(role())
    assert allowed(role(), lets_in({"AWS": ROLE}))
    assert not allowed(role(), lets_in({"AWS": ROOT})), "the account's root only lets its identity policies decide"
    assert not allowed(role(policy(allow(), deny())), lets_in("*"))
    assert not allowed(role(ANYTHING), policy(deny(Principal={"AWS": OWN})))


@pytest.mark.parametrize("kind", [ResourceKind.KEY, ResourceKind.ROLE])
def test_keys_and_roles_need_to_be_opened_by_their_own_policy(kind: ResourceKind) -> None:
    assert not allowed(role(ANYTHING), None, kind)
    assert not allowed(role(ANYTHING), lets_in({"AWS": USER}), kind)
    assert allowed(role(ANYTHING), lets_in({"AWS": ROOT}), kind)
    assert not allowed(role(), lets_in({"AWS": ROOT}), kind)
    assert allowed(role(), lets_in({"AWS": ROLE}), kind)
    assert allowed(OF_OWN, lets_in({"AWS": OWN}), kind) is (kind is ResourceKind.KEY), "no root user takes up a role"
    assert not allowed(OF_OWN, lets_in({"AWS": USER}), kind)


def test_a_lattice_service_needs_both_policies() -> None:
    assert not allowed(role(), lets_in({"AWS": ROLE}), ResourceKind.LATTICE)
    assert not allowed(role(ANYTHING), lets_in({"AWS": USER}), ResourceKind.LATTICE)
    assert allowed(role(ANYTHING), lets_in("*"), ResourceKind.LATTICE)


def test_across_accounts_both_sides_have_to_allow() -> None:
    foreign = f"arn:aws:iam::{OTHER}:role/worker"
    assert not allowed(role(ANYTHING, arn=foreign))
    assert not allowed(role(arn=foreign), lets_in({"AWS": foreign}))
    for named in (foreign, OTHER, f"arn:aws:iam::{OTHER}:root", "*"):
        assert allowed(role(ANYTHING, arn=foreign), lets_in({"AWS": named}))
        assert allowed(STRANGER, lets_in({"AWS": named}))
        assert not allowed(role(ANYTHING, arn=foreign, boundary=NOTHING), lets_in({"AWS": named}))
    assert not allowed(STRANGER, lets_in({"AWS": OWN}))
    assert not allowed(STRANGER)


def test_a_denial_for_one_of_an_account_leaves_the_others_in() -> None:
    foreign = f"arn:aws:iam::{OTHER}:role/worker"
    others = {"ArnNotEquals": {"aws:PrincipalArn": foreign}}
    for denial in (deny(Principal={"AWS": foreign}), deny(Principal="*", Condition=others)):
        assert allowed(STRANGER, policy(allow(Principal={"AWS": OTHER}), denial))
    assert not allowed(STRANGER, policy(allow(Principal={"AWS": OTHER}), deny(Principal={"AWS": OTHER})))


def test_a_boundary_limits_what_is_given_to_a_role_but_not_to_its_session_a_user_or_everybody() -> None:
    # <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html>
    assert not allowed(role(ANYTHING, boundary=NOTHING))
    assert allowed(role(ANYTHING, boundary=ANYTHING))
    assert not allowed(role(boundary=NOTHING), lets_in({"AWS": ROLE}))
    assert allowed(role(boundary=NOTHING), lets_in({"AWS": SESSION}))
    assert not allowed(role(), lets_in({"AWS": SESSION.replace("worker", "another")}))
    assert allowed(role(boundary=NOTHING), lets_in({"AWS": "*"}))
    assert allowed(user(boundary=NOTHING), lets_in({"AWS": USER}))
    assert not allowed(user(ANYTHING, boundary=NOTHING), lets_in({"AWS": ROOT}))
    assert not allowed(user(boundary=policy(deny())), lets_in({"AWS": USER}))
    assert not allowed(role(ANYTHING, session=NOTHING), lets_in({"AWS": ROLE}))
    assert allowed(role(ANYTHING, session=NOTHING), lets_in({"AWS": SESSION}))


def test_a_denial_for_all_but_some_is_for_whoever_has_a_boundary() -> None:
    door = policy(allow(Principal="*"), deny(NotPrincipal={"AWS": [ROLE, OWN]}))
    assert allowed(role(), door)
    assert not allowed(role(boundary=ANYTHING), door)
    assert not allowed(user(), policy(allow(Principal="*"), deny(NotPrincipal={"AWS": f"arn:aws:iam::{OTHER}:root"})))
    assert not allowed(ANYONE, door)


def test_to_be_left_out_for_certain_a_role_is_named_with_its_account() -> None:
    for names, may in (([ROLE, OWN], False), ([ROLE], True), ([OWN], True), ("*", False)):
        assert allowed(role(), policy(allow(NotPrincipal={"AWS": names}))) is may
        assert allowed(role(ANYTHING), policy(deny(NotPrincipal={"AWS": names})))


def test_a_user_may_federate_under_any_name() -> None:
    federated = f"arn:aws:sts::{OWN}:federated-user/guest"
    assert allowed(user(), lets_in({"AWS": federated}))
    assert not allowed(role(), lets_in({"AWS": federated}))
    assert allowed(user(ANYTHING), policy(deny(Principal={"AWS": federated})))


def test_a_denial_for_a_role_counts_though_its_session_is_named_too() -> None:
    assert not allowed(role(ANYTHING), policy(deny(Principal={"AWS": [ROLE, SESSION]})))
    assert allowed(role(ANYTHING), policy(deny(Principal={"AWS": SESSION}))), "whoever takes it up names the session"


def test_the_root_user_may_do_all_in_its_account_that_nothing_denies() -> None:
    assert allowed(OF_OWN)
    assert not allowed(OF_OWN, policy(deny(Principal="*")))
    assert not allowed(OF_OWN, limits=[[NOTHING]])


def test_services_and_strangers_enter_by_the_resource_policy_only() -> None:
    assert not allowed(SERVICE)
    assert not allowed(ANYONE)
    assert allowed(SERVICE, lets_in({"Service": ["s3.amazonaws.com", "sns.amazonaws.com"]}))
    assert not allowed(SERVICE, lets_in({"Service": "s3.amazonaws.com"}))
    for everybody in ("*", {"AWS": "*"}):
        assert allowed(ANYONE, lets_in(everybody))
        assert allowed(SERVICE, lets_in(everybody))
    assert not allowed(ANYONE, lets_in({"AWS": [OWN, OTHER]}))
    github = Principal(f"arn:aws:iam::{OWN}:oidc-provider/ci", OWN, Kind.FEDERATED)
    assert allowed(github, lets_in({"Federated": github.arn}), ResourceKind.ROLE)
    assert not allowed(github, lets_in({"AWS": OWN}), ResourceKind.ROLE)


@pytest.mark.parametrize(
    ("condition", "who"),
    [
        ({"StringEquals": {"aws:PrincipalAccount": OWN}}, "own"),
        ({"StringEquals": {"kms:CallerAccount": OWN}}, "own"),
        ({"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OWN}:role/team/*"}}, "own"),
        ({"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OTHER}:role/*"}}, "other"),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/team/worker"}}, "own, other, anyone"),
        ({"ArnLike": {"aws:PrincipalArn": f"arn:*:iam::{OWN}:role/*"}}, "own"),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, "own, other"),
        ({"StringNotEquals": {"aws:PrincipalAccount": OWN}}, "other, service, anyone"),
        ({"StringEquals": {"aws:PrincipalTag/team": "web"}}, "other, anyone"),
        ({"StringNotEquals": {"aws:PrincipalTag/team": "web"}}, "own, other, service, anyone"),
        ({"Bool": {"aws:PrincipalIsAWSService": "true"}}, "service"),
        ({"StringEquals": {"aws:SourceAccount": OWN}}, "service"),
        ({"StringEquals": {"aws:PrincipalServiceName": "sns.amazonaws.com"}}, "service"),
        ({"StringEquals": {"aws:ResourceAccount": OTHER}}, ""),
        ({"StringEquals": {"aws:RequestedRegion": "us-east-1"}}, ""),
        ({"StringEquals": {"aws:SourceVpce": "vpce-1"}}, "own, other, service, anyone"),
        ({"Bool": {"aws:SecureTransport": "true"}}, "own, other, service, anyone"),
        ({"StringEquals": {"aws:PrincipalType": "AssumedRole"}}, "own, other, service, anyone"),
        ({"Null": {"aws:username": "false"}}, "other, anyone"),
    ],
)
def test_what_a_request_says_of_itself_cannot_be_chosen_all_else_can(condition: Any, who: str) -> None:
    everybody = {"own": role(tags={}), "other": STRANGER, "service": SERVICE, "anyone": ANYONE}
    door = lets_in("*", Condition=condition)
    assert ", ".join(name for name, each in everybody.items() if allowed(each, door)) == who


def test_a_denial_that_somebody_can_avoid_denies_nobody() -> None:
    everybody = allow(Principal="*")
    insecure = deny(Principal="*", Condition={"Bool": {"aws:SecureTransport": "false"}})
    foreign = deny(Principal="*", Condition={"StringNotEquals": {"aws:PrincipalAccount": OWN}})
    assert allowed(ANYONE, policy(everybody, insecure))
    assert not allowed(ANYONE, policy(everybody, foreign))
    assert not allowed(STRANGER, policy(everybody, foreign))
    assert allowed(role(), policy(everybody, foreign))


def test_what_is_told_of_a_request_is_known() -> None:
    door = lets_in("*", Condition={"StringEquals": {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}})
    assert allowed(role(), door)
    assert allowed(role(), door, kms_ViaService=("s3.eu-central-1.amazonaws.com",))
    assert not allowed(role(), door, kms_ViaService=("ssm.eu-central-1.amazonaws.com",))
    assert not allowed(role(), door, kms_ViaService=())


def test_tags_and_names_fill_variables() -> None:
    own = policy(allow(resource=f"arn:aws:secretsmanager:eu-central-1:{OWN}:secret:${{aws:PrincipalTag/team}}-*"))
    assert allowed(role(own, tags={"Team": "db"}))
    assert not allowed(role(own, tags={"Team": "web"}))
    assert not allowed(role(own, tags={}))
    assert allowed(role(own)), "whoever may tag the session chooses"
    tagged = policy(allow(Condition={"StringEquals": {"aws:ResourceTag/Team": "${aws:PrincipalTag/Team}"}}))
    request = Request(role(tagged, tags={"Team": "db"}), GET, SECRET, OWN, resource_tags={"team": "db"})
    assert decide(request).allowed
    request = Request(role(tagged, tags={"Team": "db"}), GET, SECRET, OWN, resource_tags={})
    assert not decide(request).allowed


def test_a_user_has_a_name() -> None:
    own = policy(allow(resource=f"arn:aws:secretsmanager:eu-central-1:{OWN}:secret:${{aws:username}}-*"))
    request = Request(user(own), GET, SECRET.replace("db-", "ann-"), OWN)
    assert decide(request).allowed
    assert not allowed(user(own))


def test_a_variable_without_a_value_matches_nothing_and_denies_nothing() -> None:
    unfit = f"arn:aws:secretsmanager:eu-central-1:{OWN}:secret:${{aws:username}}*"
    assert not allowed(role(policy(allow(resource=unfit))))
    denial = {"Effect": "Deny", "Action": "*", "NotResource": unfit}
    assert allowed(role(policy(allow(), denial)))


def test_documents_of_the_first_version_have_no_variables() -> None:
    own = {"Effect": "Allow", "Action": "*", "Resource": "${aws:username, '*'}"}
    assert allowed(role(Document.parse({"Version": "2012-10-17", "Statement": own}, "Shop/Policy"))) is False
    own["Resource"] = f"arn:aws:secretsmanager:eu-central-1:{OWN}:secret:${{aws:username, 'db-a1'}}"
    assert allowed(role(Document.parse({"Version": "2012-10-17", "Statement": own}, "Shop/Policy")))
    assert not allowed(role(Document.parse({"Statement": own}, "Shop/Policy")))


def test_limits_have_to_allow_level_by_level() -> None:
    assert allowed(role(ANYTHING), limits=[[ANYTHING], [NOTHING, ANYTHING]])
    assert not allowed(role(ANYTHING), limits=[[ANYTHING], [NOTHING]])
    assert not allowed(role(ANYTHING), limits=[[policy(allow(), deny())]])
    assert allowed(role(ANYTHING), limits=[[lets_in({"AWS": ROLE})]]), "the policy of an endpoint names principals"
    assert not allowed(role(ANYTHING), limits=[[lets_in({"AWS": USER})]])


def test_what_only_a_deployment_knows_is_open_to_whoever_asks_and_denied_to_nobody() -> None:
    secret = anything("an ARN")
    assert allowed(role(policy(allow(resource=secret))))
    assert allowed(role(ANYTHING), policy(deny(Principal={"AWS": anything("somebody")})))
    assert allowed(role(policy(allow(), {**deny(), "Resource": secret})))
    assert allowed(role(), lets_in({"AWS": f"arn:aws:iam::{OWN}:role/team/{anything('name')}"}))
    assert allowed(ANYONE, lets_in({"AWS": anything("somebody")}))
    assert not allowed(ANYONE, lets_in({"AWS": f"arn:aws:iam::{anything('an account')}:user/ann"}))


def test_a_decision_says_which_statement_decides() -> None:
    stated = policy({**allow(), "Sid": "Wide"}, {**deny(), "Sid": "Stop", "Action": "kms:*"})
    assert asked(role(stated)).chain == (f"statement Wide of Shop/Policy allows {GET}",)
    stopped = decide(Request(role(stated), "kms:Decrypt", SECRET, OWN))
    assert (stopped.because, stopped.chain) == (stated.statements[1], ("statement Stop of Shop/Policy denies it",))
    assert asked(STRANGER, lets_in({"AWS": OTHER})).chain[-1] == f"account {OTHER} has every right of its own"
    assert asked(role()).chain == ("no policy allows it",)


def test_a_resource_policy_that_names_nobody_is_refused() -> None:
    with pytest.raises(Refused, match="names no principal"):
        allowed(role(ANYTHING), policy(allow()))
