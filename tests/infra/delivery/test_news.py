"""People are told what failed and where to look, once, and that an approval is waited for."""

import json
from typing import Any

import pytest
from moto.events.models import EventPattern

from tests.infra.delivery.promise import pipeline_promise, pipeline_stacks
from tests.infra.delivery.read import SETTINGS, actions_of, pipeline_of, statements_of
from tests.infra.promise import Stacks, setting, without
from tests.infra.template import Template, as_list, reference


def _approve_in_silence(stacks: Stacks) -> None:
    for _, action in actions_of(stacks):
        action["Configuration"].pop("NotificationArn", None)


@pipeline_promise(
    no_rule=without("AWS::Events::Rule"),
    key_that_events_may_not_use=setting("AWS::KMS::Key", "KeyPolicy.Statement.2.Principal.Service", "s3.amazonaws.com"),
    a_topic_that_admits_nobody=without("AWS::SNS::TopicPolicy"),
    a_condition_that_events_never_meet=setting(
        "AWS::KMS::Key", "KeyPolicy.Statement.2.Condition", {"StringEquals": {"aws:SourceAccount": "1"}}
    ),
    nobody=without("AWS::SNS::Subscription"),
    approvals_in_silence=_approve_in_silence,
)
def test_people_are_told_what_failed_and_that_an_approval_is_waited_for(stacks: Stacks) -> None:
    template = stacks["pipeline"]
    ((topic_id, topic),) = template.resources("AWS::SNS::Topic").items()
    rules = template.properties("AWS::Events::Rule")
    assert [r["EventPattern"]["detail"] for r in rules] == [
        {"pipeline": [pipeline_of(stacks)["Name"]], "state": ["FAILED"]}
    ]
    assert [reference(t["Arn"]) for r in rules for t in r["Targets"]] == [topic_id]
    assert {p["Endpoint"] for p in template.properties("AWS::SNS::Subscription")} == {*SETTINGS.notifications.emails}
    admitted = [s for p in template.properties("AWS::SNS::TopicPolicy") for s in p["PolicyDocument"]["Statement"]]
    key = template.resources()[reference(topic["Properties"]["KmsMasterKeyId"])]["Properties"]["KeyPolicy"]
    for statements, action in ((admitted, "sns:Publish"), (key["Statement"], "kms:GenerateDataKey*")):
        own = [s for s in statements if s["Principal"] == {"Service": "events.amazonaws.com"}]
        assert [(action in as_list(s["Action"]), "Condition" in s) for s in own] == [(True, False)]
    waiting = [a for _, a in actions_of(stacks) if a["ActionTypeId"]["Provider"] == "Manual"]
    assert waiting
    for action in waiting:
        assert reference(action["Configuration"].get("NotificationArn", "")) == topic_id
        assert "kms:GenerateDataKey*" in json.dumps(statements_of(stacks, reference(action["RoleArn"])))


OF_ACTIONS = "CodePipeline Action Execution State Change"
OF_STAGES = "CodePipeline Stage Execution State Change"
OF_PIPELINES = "CodePipeline Pipeline Execution State Change"


@pytest.mark.parametrize(
    ("kind", "state", "told"),
    [
        (OF_ACTIONS, "FAILED", True),
        # The same failure, said again of what is around the action.
        (OF_STAGES, "FAILED", False),
        (OF_PIPELINES, "FAILED", False),
        # What happens when the pipeline changes itself, or a newer commit takes over.
        (OF_ACTIONS, "ABANDONED", False),
        (OF_ACTIONS, "CANCELED", False),
        (OF_STAGES, "CANCELED", False),
        (OF_PIPELINES, "SUPERSEDED", False),
        (OF_PIPELINES, "STOPPED", False),
        (OF_PIPELINES, "CANCELED", False),
        (OF_ACTIONS, "STARTED", False),
        (OF_ACTIONS, "SUCCEEDED", False),
    ],
)
def test_people_are_told_of_a_failure_once_and_of_nothing_else(
    application: dict[str, Template], kind: str, state: str, told: bool
) -> None:
    """As EventBridge matches what CodePipeline sends (its guide, "Monitoring CodePipeline events")."""
    event: Any = {"source": "aws.codepipeline", "detail-type": kind, "detail": {"pipeline": "sanctum", "state": state}}
    rules = pipeline_stacks(application)["pipeline"].properties("AWS::Events::Rule")
    heard = [EventPattern.load(json.dumps(rule["EventPattern"])).matches_event(event) for rule in rules]
    assert sum(heard) == told


@pipeline_promise(
    where_to_look_left_out=setting(
        "AWS::Events::Rule", "Targets.0.InputTransformer.InputTemplate", '"<detail-action> of <detail-stage> failed"'
    ),
    nothing_of_the_action=setting(
        "AWS::Events::Rule", "Targets.0.InputTransformer.InputPathsMap.detail-action", "$.detail.pipeline"
    ),
)
def test_the_message_says_what_failed_why_and_where_to_look(stacks: Stacks) -> None:
    ((target,),) = [rule["Targets"] for rule in stacks["pipeline"].properties("AWS::Events::Rule")]
    detail = {
        "pipeline": "sanctum",
        "stage": "staging",
        "action": "Smoke",
        "execution-id": "0-1-2",
        "execution-result": {
            "external-execution-summary": "Build terminated with state: FAILED",
            "external-execution-url": "https://console/build",
        },
    }
    message = target["InputTransformer"]["InputTemplate"]
    for name, path in target["InputTransformer"]["InputPathsMap"].items():
        value: Any = {"detail": detail, "region": "us-east-1"}
        for key in path.removeprefix("$.").split("."):
            value = value[key]
        message = message.replace(f"<{name}>", value)
    assert message.startswith('"sanctum: Smoke of staging failed. Build terminated with state: FAILED https://console/')
    page = "https://us-east-1.console.aws.amazon.com/codesuite/codepipeline/pipelines/sanctum/executions/0-1-2/timeline"
    assert page in message
