"""ECR: images are pushed to and pulled from MiniStack's own registry, which is plain HTTP on this machine."""

import json
import re
from typing import Any

from rehearsal.plugin import ministack
from rehearsal.plugin.client import PORT
from rehearsal.plugin.journal import note

HOST = f"localhost:{PORT}"
_OF_AWS = re.compile(r"^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/")


def install() -> None:
    """Answer with its address, and tell of an image that is not there as AWS does."""
    ecr, actions = ministack.module("services.ecr"), ministack.module("core.iam_actions")
    ecr._repo_uri = _address
    describe, token, resource = ecr._describe_images, ecr._get_authorization_token, actions.extract_resource_arn
    error = ministack.module("core.responses").error_response_json

    def described(data: dict[str, Any]) -> Any:
        # To an empty answer cdk says that the image is published, and neither builds nor pushes it.
        name = data.get("repositoryName", "")
        images: list[dict[str, str]] = data.get("imageIds") or []
        for wanted in images:
            if name in ecr._repositories and not ecr._find_image(name, wanted):
                return error("ImageNotFoundException", f"{name} has no image {wanted}", 400)
        return describe(data)

    def authorized(data: dict[str, Any]) -> Any:
        status, headers, body = token(data)
        document = json.loads(body)
        for entry in document["authorizationData"]:
            entry["proxyEndpoint"] = f"http://{HOST}"
        return (
            status,
            {n: v for n, v in headers.items() if n.lower() != "content-length"},
            json.dumps(document).encode(),
        )

    def named(service: str, method: str, path: str, headers: Any, body: bytes, *rest: Any) -> str:
        names = json.loads(body or b"{}").get("repositoryNames") if service == "ecr" else None
        return (
            ministack.arn("ecr", f"repository/{names[0]}")
            if names
            else resource(service, method, path, headers, body, *rest)
        )

    ecr._describe_images, ecr._get_authorization_token, actions.extract_resource_arn = described, authorized, named
    note("bypassed", "ECR: images are pushed and pulled without TLS and without the execution role")


def _address(name: str) -> str:
    return f"{HOST}/{name}"


def local(image: str) -> str:
    """The image by the name under which the container engine pulls it here."""
    return _OF_AWS.sub(f"{HOST}/", image)
