"""`python -m tools.provenance CDK_OUT OUT` (`make evidence`): where what each image is built of comes from.

A statement of SLSA Provenance v1 for each image of a cloud assembly: <https://slsa.dev/spec/v1.0/provenance>, in
<https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md>. It is made by the run that writes the assembly,
before any image is built: so it is of the image's files, whose hash is the image's tag, and the image's own digest is
not in it. What is not known is left out. It is not signed: docs/decisions/0027-*.md.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from hashlib import sha256
from os import environ
from pathlib import Path
from typing import Any, Final

from infra.delivery.settings import read_pipeline
from infra.settings import InvalidSettings, read_environments
from tools.sbom import base_of

Json = dict[str, Any]

ROOT: Final = Path(__file__).parents[1]
CONTEXT: Final = "services"
"""What of the repository can be in an image."""
BUILD_TYPE: Final = "https://docs.aws.amazon.com/cdk/v2/guide/assets.html"
PERSON: Final = "data:,a%20person's%20machine"
"""Who builds where nobody knows more: an address that says so by itself (RFC 2397)."""
_ACCOUNT: Final = re.compile(r":iam::(\d{12}):")


def main(assembly: Path, out: Path) -> None:
    """Write all of them into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    run, source = run_details(environ), sources(ROOT, repository(environ))
    for tag, asset in sorted(images(assembly).items()):
        content = json.dumps(statement(tag, asset, run=run, source=source), indent=1, sort_keys=True) + "\n"
        (out / f"image-{asset['name']}-{tag[:12]}.intoto.json").write_text(content, encoding="utf-8")


def images(assembly: Path) -> dict[str, Json]:
    """By its tag: the service's name, the folder with its files, how it is built of them, and where it is pushed to."""
    found: dict[str, Json] = {}
    for file in sorted(assembly.rglob("*.assets.json")):
        for tag, image in json.loads(file.read_text(encoding="utf-8")).get("dockerImages", {}).items():
            files = (file.parent / image["source"]["directory"]).resolve()
            parameters = image["source"] | {"directory": files.name}
            asset = {"name": image["displayName"], "files": files, "parameters": parameters, "pushed": set[str]()}
            found.setdefault(tag, asset)["pushed"].update(map(_address, image["destinations"].values()))
    return found


def statement(tag: str, asset: Json, *, run: Json, source: list[Json]) -> Json:
    """What is said of one image; `run` did it, with `source`."""
    files: Path = asset["files"]
    dockerfile = files / asset["parameters"]["dockerFile"]
    base = base_of(dockerfile)
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [
            {
                "name": asset["name"],
                # Of the image's files, as the CDK computes it: 64 lower-case hexadecimal characters.
                "digest": {"cdkAssetHash": tag},
                "annotations": {"pushedTo": sorted(asset["pushed"])},
            }
        ],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": asset["parameters"],
                "resolvedDependencies": [
                    *source,
                    {"name": "base"}
                    | {"uri": base["purl"]}
                    | ({"digest": {"sha256": base["digest"].removeprefix("sha256:")}} if base["digest"] else {}),
                    *(_file(files, path) for path in (dockerfile, dockerfile.with_name("requirements.txt"))),
                ],
            },
            "runDetails": run,
        },
    }


def run_details(environment: Mapping[str, str]) -> Json:
    """Who does it: a build of CodeBuild, a run of GitHub Actions, or a person.

    A build belongs to the pipeline that began it, which also builds the images; each tells it in its own variables.
    """
    if build := environment.get("CODEBUILD_BUILD_ARN"):
        kind, _, pipeline = environment.get("CODEBUILD_INITIATOR", "").partition("/")
        *_, region, account, _build = build.split(":", 6)[:6]
        whole = f"arn:aws:codepipeline:{region}:{account}:{pipeline}" if kind == "codepipeline" else build
        return {"builder": {"id": whole}, "metadata": {"invocationId": build}}
    if environment.get("GITHUB_ACTIONS") == "true":
        server = environment["GITHUB_SERVER_URL"]
        run = f"{environment['GITHUB_RUN_ID']}/attempts/{environment['GITHUB_RUN_ATTEMPT']}"
        return {
            "builder": {"id": f"{server}/{environment['GITHUB_WORKFLOW_REF']}"},
            "metadata": {"invocationId": f"{server}/{environment['GITHUB_REPOSITORY']}/actions/runs/{run}"},
        }
    return {"builder": {"id": PERSON}}


def repository(environment: Mapping[str, str]) -> str | None:
    """Where the source is fetched from: what the pipeline's settings say, or GitHub. A person's is not known."""
    if environment.get("CODEBUILD_INITIATOR", "").startswith("codepipeline/"):
        pipeline = read_pipeline(read_environments())
        return f"git+https://github.com/{pipeline.source.repository}" if pipeline else None
    if environment.get("GITHUB_ACTIONS") == "true":
        return f"git+{environment['GITHUB_SERVER_URL']}/{environment['GITHUB_REPOSITORY']}"
    return None


def sources(root: Path, uri: str | None) -> list[Json]:
    """The commit in `root`; nothing where what can be in an image is not as committed."""
    if _git(root, "status", "--porcelain", "--", CONTEXT):
        return []
    commit = {"name": "source", "digest": {"gitCommit": _git(root, "rev-parse", "HEAD")}}
    return [commit | ({"uri": uri} if uri else {})]


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603  # ours


def _address(destination: Json) -> str:
    """Of an image in Amazon ECR."""
    (account,) = _ACCOUNT.findall(destination["assumeRoleArn"])
    registry = f"{account}.dkr.ecr.{destination['region']}.amazonaws.com"
    return f"{registry}/{destination['repositoryName']}:{destination['imageTag']}"


def _file(folder: Path, path: Path) -> Json:
    return {"name": str(path.relative_to(folder)), "digest": {"sha256": sha256(path.read_bytes()).hexdigest()}}


def _told(arguments: list[str]) -> Iterator[Path]:
    if len(arguments) != 2:  # noqa: PLR2004 - CDK_OUT and OUT
        sys.exit(__doc__)
    yield from map(Path, arguments)


if __name__ == "__main__":
    try:
        main(*_told(sys.argv[1:]))
    except InvalidSettings as error:
        sys.exit(str(error))
