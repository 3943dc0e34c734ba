"""Which tasks make, read and destroy the keys of epochs, and what each is told of keys."""

from tests.infra.compute.parts import definition, family, saying, statements, who_may
from tests.infra.promise import Stacks, promise, setting, without
from tests.infra.template import Json, as_list, reference

MADE = ("CreateSecret", "DescribeSecret", "GetSecretValue")
COPIED = ("ReplicateSecretToRegions",)
ENDED = ("DeleteSecret",)
ENDED_ELSEWHERE = ("RemoveRegionsFromReplication",)


def _epochs(stacks: Stacks, region: str) -> str:
    account = stacks.settings.account.id
    return f"arn:aws:secretsmanager:{region}:{account}:secret:{stacks.settings.resource_name('epochs')}/*"


@promise(
    the_service_makes=saying(
        {
            "Action": "secretsmanager:CreateSecret",
            "Resource": "arn:aws:secretsmanager:us-east-1:777788889999:secret:sanctum-prod-epochs/*",
        },
        role="backendTaskRole",
    ),
    preparing_destroys=saying(
        {
            "Action": "secretsmanager:DeleteSecret",
            "Resource": "arn:aws:secretsmanager:us-east-1:777788889999:secret:sanctum-prod-epochs/*",
        },
        role="backendpreparekeysRole",
    ),
    the_ai_core_reads=saying(
        {
            "Action": "secretsmanager:GetSecretValue",
            "Resource": "arn:aws:secretsmanager:us-east-1:777788889999:secret:sanctum-prod-epochs/*",
        },
        role="aicoreTaskRole",
    ),
    other_secrets_too=saying(
        {
            "Action": "secretsmanager:DeleteSecret",
            "Resource": "arn:aws:secretsmanager:us-east-1:777788889999:secret:sanctum-prod-*",
        },
        role="backendrollkeysRole",
    ),
    none=without("AWS::IAM::Policy"),
)
def test_the_service_reads_epochs_keys_preparing_makes_them_and_the_roll_alone_destroys_them(stacks: Stacks) -> None:
    home, copies = stacks.settings.account.region, stacks.settings.backup.copy_region
    said: dict[str, dict[str, set[str]]] = {}
    for role, statement in statements(stacks):
        for resource in as_list(statement["Resource"]):
            if ":secret:sanctum-" in str(resource):
                for action in as_list(statement["Action"]):
                    by_action = said.setdefault(role, {})
                    by_action.setdefault(action.removeprefix("secretsmanager:"), set()).add(resource)
    here = {_epochs(stacks, home)}
    everywhere = {_epochs(stacks, region) for region in (home, copies) if region}
    made = dict.fromkeys(MADE, here) | {action: everywhere for action in COPIED if copies}
    ended = dict.fromkeys((*ENDED, *(ENDED_ELSEWHERE if copies else ())), everywhere)
    assert said == {
        family(stacks, "backend"): {"GetSecretValue": here},
        family(stacks, "backend", "prepare_keys"): made,
        family(stacks, "backend", "roll_keys"): made | ended,
    }


def _any_key_there(stacks: Stacks) -> None:
    for _, statement in statements(stacks):
        statement.get("Condition", {}).pop("ForAnyValue:StringEquals", None)


def _directly(stacks: Stacks) -> None:
    for _, statement in statements(stacks):
        if "us-west-2" in str(statement["Resource"]) and "kms:" in str(statement["Action"]):
            statement["Condition"].pop("StringEquals")


@promise(any_key_there=_any_key_there, directly=_directly, none=without("AWS::IAM::Policy"))
def test_a_replica_can_be_encrypted_with_the_key_of_secrets_where_it_is_and_read_by_no_task(stacks: Stacks) -> None:
    copies = stacks.settings.backup.copy_region
    there = [(r, s) for r, s in statements(stacks) if copies and f":kms:{copies}:" in str(s["Resource"])]
    tasks = {family(stacks, "backend", task) for task in ("prepare_keys", "roll_keys")}
    assert {role for role, _ in there} == (tasks if copies else set())
    regions = [stacks.settings.account.region, copies]
    for _, statement in there:
        assert set(as_list(statement["Action"])) == {"kms:Encrypt", "kms:GenerateDataKey"}
        assert statement["Condition"] == {
            "StringEquals": {"kms:ViaService": [f"secretsmanager.{region}.amazonaws.com" for region in regions]},
            "ForAnyValue:StringEquals": {"kms:ResourceAliases": f"alias/{stacks.settings.resource_name('secrets')}"},
        }


@promise(
    rolling_unwraps=saying({"Action": "kms:Decrypt", "Resource": "WordsKey"}, role="backendrollkeysRole"),
    rolling_makes=saying(
        {"Action": "kms:GenerateDataKeyWithoutPlaintext", "Resource": "WordsKey"}, role="backendrollkeysRole"
    ),
)
def test_the_roll_wraps_keys_anew_that_it_cannot_unwrap(stacks: Stacks) -> None:
    roll = family(stacks, "backend", "roll_keys")
    assert roll not in who_may(stacks, "kms:Decrypt", "WordsKey")
    assert roll not in who_may(stacks, "kms:GenerateDataKeyWithoutPlaintext", "WordsKey")


def _environment(stacks: Stacks, service: str, task: str | None = None) -> Json:
    (container,) = definition(stacks, service, task)["ContainerDefinitions"]
    return {pair["Name"]: pair["Value"] for pair in container["Environment"]}


@promise(
    nothing=setting("AWS::ECS::TaskDefinition", "ContainerDefinitions.0.Environment", []),
    another_bucket=setting("AWS::S3::Bucket", "BucketName", "other"),
)
def test_each_task_is_told_where_the_keys_are_that_it_works_with(stacks: Stacks) -> None:
    account, copies = stacks.settings.account, stacks.settings.backup.copy_region
    epochs = _epochs(stacks, account.region).removesuffix("/*")
    for service in ("backend", "ai_core"):
        assert "WordsKey" in reference(_environment(stacks, service).get("KEY_SERVICE", ""))
    assert "EPOCH_KEYS" not in _environment(stacks, "ai_core")
    assert _environment(stacks, "backend")["EPOCH_KEYS"] == epochs
    for task in ("prepare_keys", "roll_keys"):
        told = _environment(stacks, "backend", task)
        assert told["EPOCH_KEYS"] == epochs
        assert told["RECOVERY_REGIONS"] == (copies or "")
        alias = told["EPOCH_SECRETS_KEY"]
        assert alias == f"arn:aws:kms:{account.region}:{account.id}:alias/{stacks.settings.resource_name('secrets')}"
    exports = _environment(stacks, "backend", "roll_keys")["KEY_EXPORTS"].removeprefix("arn:aws:s3:::")
    assert exports in {b.get("BucketName") for b in stacks["Data"].properties("AWS::S3::Bucket")}
