"""Where an image comes from is said in the form that others read, and nothing is said that is not known."""

import json
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tools import provenance
from tools.sbom import ROOT

Json = dict[str, Any]

TAG = "a1" * 32
ACCOUNTS = ("111122223333", "444455556666")
REPOSITORY = "cdk-hnb659fds-container-assets-{}-us-east-1"
BUILD = "arn:aws:codebuild:us-east-1:999900001111:build/Synth:11111111-2222-4333-8444-555555555555"
PIPELINE = {"CODEBUILD_BUILD_ARN": BUILD, "CODEBUILD_INITIATOR": "codepipeline/sanctum"}
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "somebody/sanctum",
    "GITHUB_WORKFLOW_REF": "somebody/sanctum/.github/workflows/ci.yml@refs/heads/main",
    "GITHUB_RUN_ID": "7",
    "GITHUB_RUN_ATTEMPT": "2",
}


@pytest.fixture
def assembly(tmp_path: Path) -> Path:
    """One image for two accounts, from the files of the backend."""
    files = tmp_path / "cdk.out" / f"asset.{TAG}" / "backend"
    files.mkdir(parents=True)
    for name in ("Dockerfile", "requirements.txt"):
        (files / name).write_bytes((ROOT / "services" / "backend" / name).read_bytes())
    for account in ACCOUNTS:
        destination = {
            "repositoryName": REPOSITORY.format(account),
            "imageTag": TAG,
            "region": "us-east-1",
            "assumeRoleArn": f"arn:${{AWS::Partition}}:iam::{account}:role/cdk-hnb659fds-image-publishing-role",
        }
        source = {"directory": f"../asset.{TAG}", "dockerFile": "backend/Dockerfile", "platform": "linux/arm64"}
        image = {"displayName": "backend", "source": source, "destinations": {account: destination}}
        stage = tmp_path / "cdk.out" / f"assembly-{account}"
        stage.mkdir()
        (stage / "stack.assets.json").write_text(json.dumps({"dockerImages": {TAG: image}}))
    return tmp_path / "cdk.out"


@pytest.fixture
def said(assembly: Path) -> Json:
    """What is said of it."""
    ((tag, asset),) = provenance.images(assembly).items()
    run, source = provenance.run_details(PIPELINE), [{"name": "source", "digest": {"gitCommit": "c" * 40}}]
    return provenance.statement(tag, asset, run=run, source=source)


# protos/in_toto_attestation/v1 and predicates/provenance/v1 of https://github.com/in-toto/attestation, in JSON's names.
DESCRIPTOR = {"name", "uri", "digest", "content", "downloadLocation", "mediaType", "annotations"}
FIELDS = {
    "": ({"_type", "subject", "predicateType", "predicate"}, {"_type", "subject", "predicateType"}),
    "predicate": ({"buildDefinition", "runDetails"},) * 2,
    "predicate.buildDefinition": (
        {"buildType", "externalParameters", "internalParameters", "resolvedDependencies"},
        {"buildType", "externalParameters"},
    ),
    "predicate.runDetails": ({"builder", "metadata", "byproducts"}, {"builder"}),
    "predicate.runDetails.builder": ({"id", "version", "builderDependencies"}, {"id"}),
    "predicate.runDetails.metadata": ({"invocationId", "startedOn", "finishedOn"}, set[str]()),
}
"""Those that there are, and those that have to be there."""


@pytest.mark.parametrize("path", FIELDS)
def test_it_has_the_fields_of_the_specification_and_no_others(said: Json, path: str) -> None:
    there: Json = said
    for key in filter(None, path.split(".")):
        there = there[key]
    known, needed = FIELDS[path]
    assert needed <= set(there) <= known


def test_everything_that_is_named_is_told_apart_as_the_specification_asks(said: Json) -> None:
    assert (said["_type"], said["predicateType"]) == (
        "https://in-toto.io/Statement/v1",
        "https://slsa.dev/provenance/v1",
    )
    dependencies = said["predicate"]["buildDefinition"]["resolvedDependencies"]
    for descriptor in (*said["subject"], *dependencies):
        assert set(descriptor) <= DESCRIPTOR
        assert {"uri", "digest", "content"} & set(descriptor)
    assert all(descriptor["digest"] for descriptor in said["subject"])


def test_an_image_is_its_tag_and_no_digest_is_made_up(said: Json) -> None:
    (subject,) = said["subject"]
    assert (subject["name"], subject["digest"]) == ("backend", {"cdkAssetHash": TAG})
    addresses = [f"{a}.dkr.ecr.us-east-1.amazonaws.com/{REPOSITORY.format(a)}:{TAG}" for a in ACCOUNTS]
    assert subject["annotations"] == {"pushedTo": addresses}


def test_what_it_is_built_of_is_read_from_the_files_that_it_is_built_of(said: Json, assembly: Path) -> None:
    definition = said["predicate"]["buildDefinition"]
    assert definition["externalParameters"] == {
        "directory": f"asset.{TAG}",
        "dockerFile": "backend/Dockerfile",
        "platform": "linux/arm64",
    }
    found = {descriptor["name"]: descriptor for descriptor in definition["resolvedDependencies"]}
    assert set(found) == {"source", "base", "backend/Dockerfile", "backend/requirements.txt"}
    for name in ("backend/Dockerfile", "backend/requirements.txt"):
        assert found[name]["digest"] == {"sha256": sha256((assembly / f"asset.{TAG}" / name).read_bytes()).hexdigest()}


@pytest.mark.parametrize(
    ("base", "descriptor"),
    [
        ("python:3.13-slim", {"uri": "pkg:docker/python@3.13-slim"}),
        (
            f"python:3.13-slim@sha256:{'b' * 64}",
            {"uri": f"pkg:docker/python@sha256%3A{'b' * 64}", "digest": {"sha256": "b" * 64}},
        ),
    ],
)
def test_a_base_has_a_digest_where_the_dockerfile_pins_one(assembly: Path, base: str, descriptor: Json) -> None:
    (assembly / f"asset.{TAG}" / "backend" / "Dockerfile").write_text(f"FROM {base} AS build\nFROM {base}\n")
    ((tag, asset),) = provenance.images(assembly).items()
    said = provenance.statement(tag, asset, run={}, source=[])
    (first, *_) = said["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert first == {"name": "base"} | descriptor


@pytest.mark.parametrize(
    ("environment", "details", "repository"),
    [
        (
            PIPELINE,
            {
                "builder": {"id": "arn:aws:codepipeline:us-east-1:999900001111:sanctum"},
                "metadata": {"invocationId": BUILD},
            },
            "git+https://github.com/sanctum-example/sanctum",
        ),
        (
            {"CODEBUILD_BUILD_ARN": BUILD, "CODEBUILD_INITIATOR": "somebody"},
            {"builder": {"id": BUILD}, "metadata": {"invocationId": BUILD}},
            None,
        ),
        (
            GITHUB,
            {
                "builder": {"id": f"https://github.com/{GITHUB['GITHUB_WORKFLOW_REF']}"},
                "metadata": {"invocationId": "https://github.com/somebody/sanctum/actions/runs/7/attempts/2"},
            },
            "git+https://github.com/somebody/sanctum",
        ),
        ({"USER": "somebody"}, {"builder": {"id": "data:,a%20person's%20machine"}}, None),
    ],
    ids=["the pipeline", "a build by itself", "GitHub", "a person"],
)
def test_who_builds_it_is_what_the_run_itself_tells(
    environment: dict[str, str], details: Json, repository: str | None
) -> None:
    assert provenance.run_details(environment) == details
    assert provenance.repository(environment) == repository


def _git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com"]
    return subprocess.run(["git", "-C", folder, *who, *arguments], check=True, capture_output=True, text=True).stdout


def test_the_commit_is_named_only_where_it_is_what_the_images_are_built_of(tmp_path: Path) -> None:
    (tmp_path / "services").mkdir()
    (tmp_path / "services" / "Dockerfile").write_text("FROM a:1\n")
    _git(tmp_path, "init", "--quiet")
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "--quiet", "--message", "One")
    commit = {"name": "source", "digest": {"gitCommit": _git(tmp_path, "rev-parse", "HEAD").strip()}}
    (tmp_path / "notes").write_text("no part of an image")
    assert provenance.sources(tmp_path, None) == [commit]
    assert provenance.sources(tmp_path, "git+https://x/y") == [commit | {"uri": "git+https://x/y"}]
    (tmp_path / "services" / "new.py").write_text("")
    assert provenance.sources(tmp_path, "git+https://x/y") == []
