"""Bedrock: the model that MiniStack's proxy was pointed at, or an error; never MiniStack's own canned answer."""

import re
from typing import Any
from urllib.parse import unquote

from rehearsal.plugin import ministack
from rehearsal.plugin.journal import note

SERVICE = "bedrock-runtime"
ACTIONS = {
    "bedrock:Converse": "bedrock:InvokeModel",
    "bedrock:ConverseStream": "bedrock:InvokeModelWithResponseStream",
}
"""What a call needs the right to (Amazon Bedrock API reference), by the name of the call."""
_PROFILE = re.compile(r"^/model/((?:us|eu|apac|global)\.[^/]+)/")


def install() -> None:
    """Have what would be the canned answer fail, and ask for the rights that AWS asks for."""
    bedrock, actions = ministack.module("services.bedrock_runtime"), ministack.module("core.iam_actions")

    def refuse(*_: Any) -> str:
        raise RuntimeError("the model behind the proxy did not answer, and a canned answer is none")

    bedrock._mock_reply = bedrock._openai_mock_reply = refuse
    action_of, resource_of = actions.extract_iam_action, actions.extract_resource_arn

    def action(service: str, *request: Any, **more: Any) -> Any:
        found = action_of(service, *request, **more)
        return ACTIONS.get(found, found)

    def resource(service: str, method: str, path: str, *request: Any, **more: Any) -> Any:
        profile = _PROFILE.match(unquote(path)) if service == SERVICE else None
        if profile:
            return ministack.arn("bedrock", f"inference-profile/{profile[1]}")
        return resource_of(service, method, path, *request, **more)

    actions.extract_iam_action, actions.extract_resource_arn = action, resource
    note("bypassed", "Bedrock: rights to an inference profile are asked for, to the models behind it not")
    note("bypassed", "Bedrock: a reply is streamed only when it is whole")
