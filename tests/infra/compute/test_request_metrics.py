"""The metrics of requests are of log lines that the services do write."""

import asyncio
import json
import re
from typing import Any

import pytest
from chassis import logs
from chassis.requests import RequestMiddleware
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from infra.services import read_services
from tests.infra.promise import Stacks, promise, setting, without
from tests.infra.template import Template


@pytest.fixture
def line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What a service writes about a request."""

    async def answer(_request: object) -> Response:
        return Response()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_message: object) -> None:
        pass

    app = RequestMiddleware(Starlette(routes=[Route("/v1/replies", answer)]), max_body_bytes=1)
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/v1/replies", "headers": [], "query_string": b""}
    logs.configure("info")
    asyncio.run(app(scope, receive, send))
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_every_field_that_a_filter_looks_at_is_in_the_line(
    templates: dict[tuple[str, str], Template], line: dict[str, Any]
) -> None:
    patterns = [p["FilterPattern"] for p in templates["prod", "Compute"].properties("AWS::Logs::MetricFilter")]
    measured = [pattern for pattern in patterns if "milliseconds" in pattern or "status" in pattern]
    assert measured
    for pattern in measured:
        assert set(re.findall(r"\$\.([a-z_]+)", pattern)) <= set(line), pattern
        assert f'$.event = "{line["event"]}"' in pattern
    assert isinstance(line["milliseconds"], float)
    assert isinstance(line["status"], int)


@promise(
    models_time_too=setting("AWS::Logs::MetricFilter", "FilterPattern", '{ ($.event = "request.done") }'),
    nothing_measured=without("AWS::Logs::MetricFilter"),
    elsewhere=setting("AWS::Logs::MetricFilter", "MetricTransformations.0.MetricNamespace", "Other"),
)
def test_neither_health_checks_nor_the_models_time_make_a_service_look_slow_or_quick(stacks: Stacks) -> None:
    found = {p["MetricTransformations"][0]["MetricName"]: p for p in stacks.properties("AWS::Logs::MetricFilter")}
    for name, described in read_services().items():
        for metric in (f"{name}.Slow", f"{name}.Timed"):
            assert metric in found
            pattern, (made,) = found[metric]["FilterPattern"], found[metric]["MetricTransformations"]
            assert made["MetricNamespace"] == f"Sanctum/{stacks.settings.name}"
            for route in (described.health.live, described.health.ready, *(f"*{end}" for end in described.untimed)):
                assert f'($.route != "{route}")' in pattern
        assert (
            f"$.milliseconds > {stacks.settings.operations.p99_seconds * 1000:g}"
            in found[f"{name}.Slow"]["FilterPattern"]
        )


@promise(
    answers_alone=setting(
        "AWS::Logs::MetricFilter", "FilterPattern", '{ ($.event = "request.done") && ($.status >= 500) }'
    )
)
def test_replies_that_are_written_without_memory_count_as_errors(stacks: Stacks) -> None:
    found = {p["MetricTransformations"][0]["MetricName"]: p for p in stacks.properties("AWS::Logs::MetricFilter")}
    assert '$.event = "reply.without_memory"' in found["ai_core.Errors"]["FilterPattern"]
