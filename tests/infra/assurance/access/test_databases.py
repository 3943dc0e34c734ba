"""Who may sign in to a database by IAM, and as whom."""

from pathlib import Path

from infra.assurance.facts import Relation
from tests.infra.assurance.access.asked import HOME, Resources, allow, arn, asked, role

ROOT = (f"root of {HOME}", "Database", "*")
CONNECT = "rds-db:connect"
USERS = "arn:aws:rds-db:us-east-1:111122223333:dbuser:"


def database(*, by_iam: bool = True) -> Resources:
    return {"Type": "AWS::RDS::DBCluster", "Properties": {"EnableIAMDatabaseAuthentication": by_iam}}


def users(of: str) -> Resources:
    return {"Fn::Sub": f"{USERS}${{Database.DBClusterResourceId}}/{of}"}


def test_a_user_is_named_and_any_user_is_a_star(tmp_path: Path) -> None:
    answer = asked(
        tmp_path,
        {
            "Database": database(),
            "Shop": role(allow(CONNECT, users("shop"))),
            "Any": role(allow(CONNECT, users("*"))),
            "Wide": role(allow("rds-db:*", "*")),
            "Every": role(allow(CONNECT, f"{USERS}cluster-*/shop")),
            "Instances": role(allow(CONNECT, f"{USERS}db-*/shop")),
        },
    )
    assert answer.of(Relation.CONNECTS) == {
        ROOT,
        ("Shop", "Database", "shop"),
        ("Any", "Database", "*"),
        ("Wide", "Database", "*"),
        ("Every", "Database", "shop"),
    }


def test_a_database_that_does_not_admit_by_iam_admits_nobody(tmp_path: Path) -> None:
    resources = {"Database": database(by_iam=False), "Wide": role(allow(CONNECT, "*"))}
    assert not asked(tmp_path, resources).of(Relation.CONNECTS)


def test_a_proxy_is_a_database(tmp_path: Path) -> None:
    proxy = {"Type": "AWS::RDS::DBProxy", "Properties": {"DBProxyName": "Proxy", "Auth": [{"IAMAuth": "REQUIRED"}]}}
    own = {
        "Fn::Join": ["", [USERS, {"Fn::Select": [6, {"Fn::Split": [":", {"Fn::GetAtt": "Proxy.DBProxyArn"}]}]}, "/u"]]
    }
    answer = asked(tmp_path, {"Proxy": proxy, "Role": role(allow(CONNECT, own))})
    assert ("Role", "Proxy", "u") in answer.of(Relation.CONNECTS)


def test_a_database_of_which_only_the_id_is_told_counts(tmp_path: Path) -> None:
    named = f"{USERS}cluster-ABCDEFGHIJKL"
    answer = asked(tmp_path, {"Database": database(), "Role": role(allow(CONNECT, f"{named}/them"))})
    assert ("Role", f"database {named}", "them") in answer.of(Relation.CONNECTS)
    assert not any(row[:2] == ("Role", "Database") for row in answer.of(Relation.CONNECTS))


def test_a_boundary_limits(tmp_path: Path) -> None:
    limit = {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {
            "ManagedPolicyName": "limit",
            "PolicyDocument": {"Version": "2012-10-17", "Statement": [allow("s3:*")]},
        },
    }
    bounded = role(allow(CONNECT, "*"), PermissionsBoundary={"Ref": "Limit"})
    answer = asked(
        tmp_path, {"Database": database(), "Limit": limit, "Role": bounded, "Arn": role(allow(CONNECT, arn("Role")))}
    )
    assert answer.of(Relation.CONNECTS) == {ROOT}
