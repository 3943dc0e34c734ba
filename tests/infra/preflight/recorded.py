"""An account that answers what a test says, through the real client library.

Questions and answers are both held against the library's own description of the service, so that neither can name what
AWS does not have.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.client import BaseClient
from botocore.compat import HTTPHeaders
from botocore.validate import validate_parameters

Json = dict[str, Any]


class Refused(str):
    """An answer that is an error: its code, and a message after a colon."""

    __slots__ = ()


REFUSED = Refused("AccessDeniedException: User is not authorized")

Answer = Json | Refused
Answers = Mapping[str, Answer | Callable[[str, Json], Answer]]
"""By ``service.operation``; what is computed is given the region and the parameters."""


class RecordedSession:
    """Stands for ``boto3.Session``. Answers by ``service.operation``; ``asked`` has what was asked."""

    _clients: dict[tuple[str, str], BaseClient] = {}  # noqa: RUF012  # making one costs more than a test
    _current: "RecordedSession"

    def __init__(self, answers: Answers, otherwise: Refused | None = None) -> None:
        self.answers, self.otherwise = answers, otherwise
        self.asked: list[tuple[str, Json]] = []
        self.region = ""
        RecordedSession._current = self

    def client(self, service: str, *, region_name: str, config: object) -> BaseClient:
        key = (service, region_name)
        if key not in self._clients:
            client = self._session().create_client(service, region_name=region_name, config=config)  # pyright: ignore[reportArgumentType]  # as boto3 takes it
            client.meta.events.register("provide-client-params.*.*", self._remember)
            client.meta.events.register("before-call.*.*", self._answer)  # pyright: ignore[reportArgumentType]  # it may answer
            self._clients[key] = client
        return self._clients[key]

    @staticmethod
    @functools.cache
    def _session() -> botocore.session.Session:
        session = botocore.session.Session()
        session.set_credentials("testing", "testing")
        return session

    @staticmethod
    def _remember(params: Json, model: Any, context: Json, **_: object) -> None:
        service = model.service_model.service_name
        RecordedSession._current.region = context["client_region"]
        RecordedSession._current.asked.append((f"{service}.{model.name}", params))

    @staticmethod
    def _answer(model: Any, **_: object) -> tuple[AWSResponse, Json]:
        current = RecordedSession._current
        name = f"{model.service_model.service_name}.{model.name}"
        answer = current.answers.get(name, current.otherwise)
        assert answer is not None, f"{name} is asked, and the test has no answer"
        if callable(answer):
            answer = answer(current.region, current.asked[-1][1])
        if not isinstance(answer, dict):
            code, _colon, message = answer.partition(": ")
            error: Json = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {}}
            return _response(400), error
        if model.output_shape:
            validate_parameters(answer, model.output_shape)
        return _response(200), answer | {"ResponseMetadata": {}}


def _response(status: int) -> AWSResponse:
    return AWSResponse("https://recorded.example", status, HTTPHeaders(), None)
