"""Secrets start empty, are under a key of our own and are read by those that need them."""

from fnmatch import fnmatchcase

from tests.infra.promise import Stacks, promise, setting, without
from tests.infra.template import Json, as_list, reference

SECRET, POLICY = "AWS::SecretsManager::Secret", "AWS::SecretsManager::ResourcePolicy"


@promise(
    written=setting(SECRET, "SecretString", "{}"),
    generated=setting(SECRET, "GenerateSecretString", {}),
    key=without(SECRET, "KmsKeyId"),
)
def test_the_signing_keys_start_empty_under_the_secrets_key(stacks: Stacks) -> None:
    secret = stacks["Data"].only(SECRET)
    assert "SecretsKey" in reference(secret.get("KmsKeyId", ""))
    assert {"SecretString", "GenerateSecretString"} & set(secret) == set()


def _may_read_signing_keys(stacks: Stacks) -> set[str]:
    """Names of the roles whose own policy lets them."""
    names: set[str] = set()
    template = stacks["Compute"]
    for policy in template.properties("AWS::IAM::Policy"):
        for statement in policy["PolicyDocument"]["Statement"]:
            reads = any(fnmatchcase("secretsmanager:GetSecretValue", action) for action in as_list(statement["Action"]))
            if reads and any("SigningKeys" in str(resource) for resource in as_list(statement["Resource"])):
                roles = template.resources("AWS::IAM::Role")
                names |= {roles[reference(role)]["Properties"]["RoleName"] for role in policy["Roles"]}
    return names


def _statement(stacks: Stacks) -> Json:
    statements = stacks["Data"].only(POLICY)["ResourcePolicy"]["Statement"]
    assert len(statements) == 1
    return statements[0]


def _some_role_more(stacks: Stacks) -> None:
    _statement(stacks)["Condition"]["ArnNotEquals"]["aws:PrincipalArn"].append("arn:aws:iam::777788889999:role/other")


def _writing_is_free(stacks: Stacks) -> None:
    _statement(stacks)["Action"] = ["secretsmanager:GetSecretValue"]


@promise(
    no_policy=without(POLICY),
    some_role_more=_some_role_more,
    everybody=setting(POLICY, "ResourcePolicy.Statement.0.Condition", {}),
    writing=_writing_is_free,
    public=setting(POLICY, "BlockPublicPolicy", value=False),
)
def test_the_signing_keys_are_denied_to_everybody_but_the_roles_that_sign_and_rotate(stacks: Stacks) -> None:
    policy, statement = stacks["Data"].only(POLICY), _statement(stacks)
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert {"secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"} <= set(statement["Action"])
    arns = statement["Condition"].get("ArnNotEquals", {}).get("aws:PrincipalArn", [])
    assert {arn.rpartition("/")[2] for arn in arns} == _may_read_signing_keys(stacks) != set()
    assert policy["BlockPublicPolicy"] is True
    assert "SigningKeys" in reference(policy["SecretId"])


def _without_key(stacks: Stacks) -> None:
    for policy in stacks["Compute"].properties("AWS::IAM::Policy"):
        document = policy["PolicyDocument"]
        document["Statement"] = [s for s in document["Statement"] if "kms:" not in str(s["Action"])]


def _not_through_secrets_manager(stacks: Stacks) -> None:
    for policy in stacks["Compute"].properties("AWS::IAM::Policy"):
        for statement in policy["PolicyDocument"]["Statement"]:
            if "kms:" in str(statement["Action"]):
                statement["Condition"] = {}


@promise(no_key=_without_key, direct=_not_through_secrets_manager)
def test_whoever_reads_a_secret_may_use_its_key_through_secrets_manager_alone(stacks: Stacks) -> None:
    """A secret of another stack brings its key's permission not along: it has to be written."""
    via = f"secretsmanager.{stacks.settings.account.region}.amazonaws.com"
    for policy in stacks["Compute"].properties("AWS::IAM::Policy"):
        statements = policy["PolicyDocument"]["Statement"]
        ours = [
            s
            for s in statements
            if "secretsmanager:GetSecretValue" in as_list(s["Action"])
            and any("SigningKeys" in str(r) or "MasterUserSecret" in str(r) for r in as_list(s["Resource"]))
        ]
        if not ours:
            continue
        keys = [s for s in statements if "kms:Decrypt" in as_list(s["Action"]) and "SecretsKey" in str(s["Resource"])]
        assert keys, policy
        assert all(s.get("Condition") == {"StringEquals": {"kms:ViaService": via}} for s in keys)
