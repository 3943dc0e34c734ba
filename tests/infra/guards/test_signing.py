"""Where the settings say so, images are signed as they are pushed: by ECR, as the role that publishes them."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from infra.guards.names import SIGNING
from infra.guards.policies import boundary, execution
from tests.infra.alone.signing import signed
from tests.infra.guards.evaluation import allows
from tests.infra.guards.test_guards import ACCOUNTS, PROD
from tests.infra.synth import ROOT
from tests.infra.template import Json, Template, read_application

NAME = f"{SIGNING}-{PROD.id}-{PROD.region}"


@pytest.fixture(scope="session")
def signing(alone: Path) -> Template:
    """The one stack that signing takes in an account and region."""
    ((name, template),) = read_application(alone / "signing").items()
    assert name == NAME
    return template


@pytest.fixture(scope="session")
def pushed(assembly: Path) -> list[Json]:
    """Where production's images are pushed to, and as whom."""
    lists = (assembly / "assembly-pipeline-prod").glob("*.assets.json")
    images = [image for path in lists for image in json.loads(path.read_text()).get("dockerImages", {}).values()]
    return [d for image in images for d in image["destinations"].values() if d["region"] == PROD.region]


def test_what_is_pushed_is_signed_and_nothing_of_others(signing: Template, pushed: list[Json]) -> None:
    (rule,) = signing.only("AWS::ECR::SigningConfiguration")["Rules"]
    assert {(f["Filter"], f["FilterType"]) for f in rule["RepositoryFilters"]} == {
        (destination["repositoryName"], "WILDCARD_MATCH") for destination in pushed
    }
    assert rule["SigningProfileArn"] == {"Fn::GetAtt": ["Profile", "Arn"]}


def test_who_pushes_may_sign_with_that_profile_and_do_nothing_more(signing: Template, pushed: list[Json]) -> None:
    given = signing.only("AWS::IAM::RolePolicy")
    assert {given["RoleName"]} == {destination["assumeRoleArn"].rpartition("/")[2] for destination in pushed}
    (statement,) = given["PolicyDocument"]["Statement"]
    profile = {"Fn::GetAtt": ["Profile", "Arn"]}
    assert statement == {"Effect": "Allow", "Action": "signer:SignPayload", "Resource": profile}
    # Before anything is to be signed.
    (configuration,) = signing.resources("AWS::ECR::SigningConfiguration").values()
    assert configuration["DependsOn"] == ["MaySign"]


def test_a_signature_lasts_as_long_as_the_image_may_be_deployed(signing: Template) -> None:
    profile = signing.only("AWS::Signer::SigningProfile")
    assert profile["PlatformId"] == "Notation-OCI-SHA384-ECDSA"  # the platform for images
    assert profile["SignatureValidityPeriod"] == {"Type": "MONTHS", "Value": 135}


def test_the_bootstrap_has_the_role_and_an_immutable_repository_and_no_boundary_takes_the_right_away() -> None:
    template = (ROOT / "node_modules/aws-cdk/lib/api/bootstrap/bootstrap-template.yaml").read_text()
    assert "Fn::Sub: cdk-${Qualifier}-image-publishing-role-${AWS::AccountId}-${AWS::Region}" in template
    assert "Fn::Sub: cdk-${Qualifier}-container-assets-${AWS::AccountId}-${AWS::Region}" in template
    assert "ImageTagMutability: IMMUTABLE" in template
    # The boundary has nothing of AWS Signer: the bootstrap puts it on the role of CloudFormation, not on this one.
    assert not allows(boundary(signed("prod")), "signer:SignPayload", "*", {"aws:RequestedRegion": PROD.region})
    assert not [a for a in PROD.bootstrap if "all-roles" in a]


def test_it_is_deployed_by_a_person_needs_no_bootstrap_bucket_and_is_protected(signing: Template) -> None:
    assert signing.termination_protection
    assert "Parameters" not in signing.body
    dry = ["make", "--dry-run", "--always-make", "bootstrap", "ENV=prod"]
    told = subprocess.run(dry, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert re.findall(r"bootstrap (stack|arguments|signing) 'prod'", told) == ["stack", "arguments", "signing"]


def test_a_deployment_cannot_have_images_pushed_unsigned() -> None:
    account, here = signed("prod"), {"aws:RequestedRegion": PROD.region}
    for document in (boundary(account), *execution(account).values()):
        for action in ("ecr:DeleteSigningConfiguration", "ecr:PutSigningConfiguration", "signer:CancelSigningProfile"):
            assert not allows(document, action, "*", here)
        assert len(json.dumps(document, separators=(",", ":"))) <= 6144


def test_nothing_is_signed_unless_the_settings_say_so(application: dict[str, Template]) -> None:
    assert {stack for account in ACCOUNTS.values() for stack in account.signing_stacks.values()} == set()
    assert [name for name in application if name.startswith(SIGNING)] == []
    assert signed("prod").signing_stacks == {PROD.region: NAME}
