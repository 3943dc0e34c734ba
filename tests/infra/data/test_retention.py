"""No deployment deletes what holds data, and no stack that has any can be deleted."""

from tests.infra.data.stateful import HOLDS_NOTHING, holds_data
from tests.infra.promise import Mutation, Stacks, adding, promise, setting
from tests.infra.template import Json

POLICIES = ("DeletionPolicy", "UpdateReplacePolicy")


def _stateful(stacks: Stacks) -> dict[str, Json]:
    return {name: resource for name, resource in stacks.resources() if holds_data(resource["Type"])}


def _policy(resource_type: str, policy: str) -> Mutation:
    def mutate(stacks: Stacks) -> None:
        for _, resource in stacks.resources(resource_type):
            resource[policy] = "Delete"

    return mutate


def _unprotected(stack: str) -> Mutation:
    def mutate(stacks: Stacks) -> None:
        object.__setattr__(stacks[stack], "termination_protection", False)

    return mutate


@promise(
    key_deleted=_policy("AWS::KMS::Key", "DeletionPolicy"),
    log_group_replaced=_policy("AWS::Logs::LogGroup", "UpdateReplacePolicy"),
    bucket_deleted=_policy("AWS::S3::Bucket", "DeletionPolicy"),
    secret_deleted=_policy("AWS::SecretsManager::Secret", "DeletionPolicy"),
    vault_deleted=_policy("AWS::Backup::BackupVault", "DeletionPolicy"),
    domain_replaced=_policy("AWS::OpenSearchService::Domain", "UpdateReplacePolicy"),
    cluster_deleted=_policy("AWS::RDS::DBCluster", "DeletionPolicy"),
    instance_deleted=_policy("AWS::RDS::DBInstance", "DeletionPolicy"),
    new_kind_of_store=adding("Data", "New", {"Type": "AWS::DSQL::Cluster", "Properties": {}}),
    new_kind_of_index=adding("Compute", "New", {"Type": "AWS::OpenSearchServerless::Collection"}),
)
def test_what_holds_data_outlives_its_stack_and_its_replacement_outside_dev(stacks: Stacks) -> None:
    """In dev it says explicitly which of the two."""
    allowed = [["Retain", "Retain"]] if stacks.settings.protected else [["Retain", "Retain"], ["Delete", "Delete"]]
    wrong = {
        f"{name} ({resource['Type']})": [resource.get(policy) for policy in POLICIES]
        for name, resource in _stateful(stacks).items()
        if [resource.get(policy) for policy in POLICIES] not in allowed
    }
    assert wrong == {}


@promise(
    data=_unprotected("Data"),
    copies=_unprotected("BackupCopy"),
    network=_unprotected("Network"),
    operations=_unprotected("Operations"),
    compute=_unprotected("Compute"),
)
def test_no_stack_can_be_deleted_outside_dev(stacks: Stacks) -> None:
    """Each has keys at the least, and without the one with the services nobody is answered."""
    protected = {name for name, template in stacks.templates.items() if template.termination_protection}
    assert protected == (set(stacks.templates) if stacks.settings.protected else set())


@promise(
    cluster=setting("AWS::RDS::DBCluster", "DeletionProtection", value=False),
    automated_backups=setting("AWS::RDS::DBCluster", "DeleteAutomatedBackups", value=True),
)
def test_the_user_database_cannot_be_deleted_by_a_click_and_its_backups_not_with_it(stacks: Stacks) -> None:
    cluster = stacks["Data"].only("AWS::RDS::DBCluster")
    protected = stacks.settings.protected
    assert (cluster.get("DeletionProtection"), cluster.get("DeleteAutomatedBackups")) == (protected, not protected)


def test_a_type_is_only_said_to_hold_nothing_where_that_is_not_obvious() -> None:
    assert all(HOLDS_NOTHING.values())
    assert holds_data("AWS::EFS::FileSystem")
    assert holds_data("AWS::DynamoDB::Table")
    assert not holds_data("AWS::EC2::Subnet")
    assert not holds_data("AWS::SNS::Topic")
