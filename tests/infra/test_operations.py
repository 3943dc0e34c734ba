"""Who is told what: the alarms' topic, the budget, and the page of graphs."""

import json

from tests.infra.promise import Stacks, promise, setting, without
from tests.infra.template import Json, as_list, reference

TOPIC, BUDGET, KEY = "AWS::SNS::Topic", "AWS::Budgets::Budget", "AWS::KMS::Key"
SENDERS = {"cloudwatch.amazonaws.com", "events.amazonaws.com"}


def _senders(statements: list[Json]) -> set[str]:
    """The services of AWS that ``statements`` let in."""
    return {
        service
        for statement in statements
        if statement["Effect"] == "Allow" and "Service" in statement["Principal"]
        for service in as_list(statement["Principal"]["Service"])
    }


@promise(
    key_of_aws=setting(TOPIC, "KmsMasterKeyId", "alias/aws/sns"),
    key_is_closed=setting(KEY, "KeyPolicy.Statement", []),
    topic_is_closed=setting("AWS::SNS::TopicPolicy", "PolicyDocument.Statement", []),
)
def test_an_alarm_arrives_because_its_sender_may_use_the_topic_and_its_key(stacks: Stacks) -> None:
    """With a key that does not admit the sender nothing arrives, and nobody is told."""
    operations = stacks["Operations"]
    (topic,) = operations.properties(TOPIC)
    key = operations.resources().get(reference(topic["KmsMasterKeyId"]))
    assert key is not None
    assert key["Type"] == KEY
    (policy,) = operations.properties("AWS::SNS::TopicPolicy")
    for statements in (key["Properties"]["KeyPolicy"]["Statement"], policy["PolicyDocument"]["Statement"]):
        assert _senders(statements) == SENDERS


@promise(to_nobody=without("AWS::SNS::Subscription"), elsewhere=setting("AWS::SNS::Subscription", "Endpoint", "x@y.zz"))
def test_alarms_go_to_the_people_of_the_settings(stacks: Stacks) -> None:
    subscriptions = stacks.properties("AWS::SNS::Subscription")
    assert sorted(s["Endpoint"] for s in subscriptions) == sorted(stacks.settings.operations.emails)
    assert {s["Protocol"] for s in subscriptions} == {"email"}


@promise(
    none=without(BUDGET),
    another_limit=setting(BUDGET, "Budget.BudgetLimit.Amount", 1_000_000),
    too_late=setting(BUDGET, "NotificationsWithSubscribers.0.Notification.Threshold", 200),
    to_nobody=setting(BUDGET, "NotificationsWithSubscribers.1.Subscribers", []),
    a_year=setting(BUDGET, "Budget.TimeUnit", "ANNUALLY"),
)
def test_people_are_told_before_a_month_costs_more_than_its_budget(stacks: Stacks) -> None:
    operations, found = stacks.settings.operations, stacks.properties(BUDGET)
    assert len(found) == 1
    budget = found[0]["Budget"]
    assert budget["BudgetLimit"] == {"Amount": operations.monthly_budget_usd, "Unit": "USD"}
    assert (budget["BudgetType"], budget["TimeUnit"]) == ("COST", "MONTHLY")
    told = {}
    for notification in found[0]["NotificationsWithSubscribers"]:
        assert [s["Address"] for s in notification["Subscribers"]] == list(operations.emails)
        told[notification["Notification"]["NotificationType"]] = notification["Notification"]["Threshold"]
    assert told == {"ACTUAL": 80, "FORECASTED": 100}


@promise(none=without("AWS::CloudWatch::Dashboard"))
def test_one_page_of_graphs_says_how_the_environment_is(stacks: Stacks) -> None:
    dashboards = stacks.properties("AWS::CloudWatch::Dashboard")
    assert len(dashboards) == stacks.settings.operations.dashboard
    if not dashboards:
        return
    pieces = dashboards[0]["DashboardBody"]["Fn::Join"][1]
    body = json.loads("".join(piece if isinstance(piece, str) else reference(piece) for piece in pieces))
    lines = [line for widget in body["widgets"] for line in widget["properties"]["metrics"]]
    namespaces = {line[0] for line in lines if isinstance(line[0], str)}
    own = f"Sanctum/{stacks.settings.name}"
    assert namespaces == {"AWS/ApplicationELB", "AWS/ECS", "AWS/RDS", "AWS/ES", own}
    made = {p["MetricTransformations"][0]["MetricName"] for p in stacks.properties("AWS::Logs::MetricFilter")}
    assert {line[1] for line in lines if line[0] == own} <= made
    places = [(widget["x"], widget["y"]) for widget in body["widgets"]]
    assert len(set(places)) == len(places)
