"""Bedrock: the model that MiniStack's proxy was pointed at, or an error; never MiniStack's own canned answer."""

import asyncio
import json
import os
import re
import urllib.request
from http.client import HTTPException
from typing import Any
from urllib.parse import unquote

from rehearsal.plugin import converse, ministack
from rehearsal.plugin.journal import note
from rehearsal.plugin.moments import happened

SERVICE = "bedrock-runtime"
ACTIONS = {
    "bedrock:Converse": "bedrock:InvokeModel",
    "bedrock:ConverseStream": "bedrock:InvokeModelWithResponseStream",
}
"""What a call needs the right to (Amazon Bedrock API reference), by the name of the call."""
SLOWLY = os.environ["REHEARSAL_SLOWLY"]
"""What a question ends with whose reply is to take its time."""
PIECE_SECONDS = 1
"""Between two pieces of such a reply: the small model writes 20 and more a second, and has long been done then."""
_PROFILE = re.compile(r"^/model/((?:us|eu|apac|global)\.[^/]+)/")


def install() -> None:
    """Stream what the model streams, have what would be the canned answer fail, ask for the rights AWS asks for."""
    bedrock, actions = ministack.module("services.bedrock_runtime"), ministack.module("core.iam_actions")

    def refuse(*_: Any) -> str:
        raise RuntimeError("the model behind the proxy did not answer, and a canned answer is none")

    bedrock._mock_reply = bedrock._openai_mock_reply = refuse
    bedrock._converse_stream = _converse_stream
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
    note("bypassed", f"Bedrock: a reply to what ends with “{SLOWLY}” is handed on a piece a second")


def _converse_stream(model: str, _headers: Any, body: bytes) -> Any:
    """In the place of MiniStack's, which waits for the whole reply and then cuts it into five."""
    bedrock, responses = ministack.module("services.bedrock_runtime"), ministack.module("core.responses")
    asked = json.loads(body)
    wrong = bedrock._normalize_model_id(model)[2] or bedrock._validate_converse_request(asked)
    if wrong:
        return wrong
    url = f"{bedrock._PROXY_URL}/v1/chat/completions"
    told = json.dumps({"model": model, **converse.question(asked)}).encode()
    request = urllib.request.Request(url, told, {"Content-Type": "application/json"})  # noqa: S310 - this machine's
    answer = urllib.request.urlopen(request, timeout=bedrock._PROXY_TIMEOUT_S)  # noqa: S310
    pause = PIECE_SECONDS if converse.last_words(asked).endswith(SLOWLY) else 0

    async def hand_on(send: Any, receive: Any) -> None:
        await _hand_on(answer, pause, send, receive)

    return 200, {"Content-Type": "application/vnd.amazon.eventstream"}, responses.StreamingResponse(hand_on)


async def _hand_on(answer: Any, pause: float, send: Any, receive: Any) -> None:
    """Each piece of a reply as it comes; who goes away stops the model."""
    bedrock = ministack.module("services.bedrock_runtime")
    events, text = converse.events(answer), ""
    gone = asyncio.ensure_future(_gone(receive))
    try:
        while not gone.done() and (event := await asyncio.to_thread(next, events, None)):
            kind, payload = event
            if kind == "contentBlockDelta":
                text += payload["delta"]["text"]
                await asyncio.sleep(pause)
            if kind == "messageStop":
                happened("written", text=text)
            await send(_part(bedrock._es_event(kind, payload)))
    except (converse.BrokenOff, HTTPException, OSError) as error:
        named = {":message-type": "exception", ":exception-type": "modelStreamErrorException"}
        said = json.dumps({"message": str(error)}).encode()
        await send(_part(bedrock._es_encode_message(named | {":content-type": "application/json"}, said)))
    finally:
        gone.cancel()
        answer.close()
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _gone(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _part(body: bytes) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": True}
