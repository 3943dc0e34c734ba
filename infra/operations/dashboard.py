"""One page of graphs that says how an environment is."""

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

WIDTH, HEIGHT, COLUMNS = 8, 6, 24


@dataclass(frozen=True)
class Graph:
    """Lines over time, each as the body of a dashboard has it: namespace, metric, then dimensions and their values; or
    ``{"expression": …}`` (Amazon CloudWatch API reference, "Dashboard body structure and syntax")."""

    title: str
    lines: Sequence[Sequence[object]]
    stat: str = "Sum"


class Dashboard(Construct):
    """``graphs`` from left to right, three to a row."""

    def __init__(self, scope: Construct, construct_id: str, *, name: str, graphs: Sequence[Graph]) -> None:
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        widgets = [
            {
                "type": "metric",
                "x": number * WIDTH % COLUMNS,
                "y": number * WIDTH // COLUMNS * HEIGHT,
                "width": WIDTH,
                "height": HEIGHT,
                "properties": {
                    "title": graph.title,
                    "region": stack.region,
                    "stat": graph.stat,
                    "period": 60,
                    "metrics": graph.lines,
                },
            }
            for number, graph in enumerate(graphs)
        ]
        body = stack.to_json_string({"widgets": widgets})
        cloudwatch.CfnDashboard(self, "Dashboard", dashboard_name=name, dashboard_body=body)
