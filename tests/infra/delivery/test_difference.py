"""What changes is told resource by resource."""

from infra.delivery.difference import MOST_LINES, difference

QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {"Delay": 1, "Name": "a"}, "Metadata": {"aws:cdk:path": "x/Queue"}}
OLD = {"Data": {"Resources": {"Queue": QUEUE, "Gone": {"Type": "AWS::SNS::Topic"}}, "Outputs": {"A": {"Value": 1}}}}


def test_nothing_is_said_where_nothing_changes() -> None:
    assert difference(OLD, OLD) == []


def test_each_resource_is_told_with_the_lines_that_differ() -> None:
    changed = QUEUE | {"Properties": {"Delay": 2, "Name": "a"}}
    new = {"Data": {"Resources": {"Queue": changed, "New": {"Type": "AWS::S3::Bucket"}}, "Outputs": {}}}
    told = difference(OLD, new)
    assert told[:2] == ["Data:", "  ~ AWS::SQS::Queue x/Queue"]
    assert '      -  "Delay": 1,' in told
    assert '      +  "Delay": 2,' in told
    assert not any("Name" in line and line.lstrip()[0] in "+-" for line in told)
    assert {"  + AWS::S3::Bucket New", "  - AWS::SNS::Topic Gone", "  ~ Outputs"} <= {*told}


def test_stacks_that_come_and_go_are_told() -> None:
    assert difference({}, OLD) == ["Data: new, 2 resources"]
    assert difference(OLD, {}) == ["Data: is deployed, and in these templates no longer: no deployment removes it"]


def test_a_long_change_is_cut_and_what_is_left_out_is_counted() -> None:
    long = {"Data": {"Resources": {"Queue": QUEUE | {"Properties": {str(n): n for n in range(200)}}}}}
    told = difference({"Data": {"Resources": {"Queue": QUEUE}}}, long)
    assert len(told) == 2 + MOST_LINES + 1
    assert told[-1].endswith("more lines")
