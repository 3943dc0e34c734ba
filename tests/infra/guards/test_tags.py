"""Everything that can be tagged says what it belongs to, and what holds data how it is classified."""

from typing import Any, cast

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from infra.guards.classification import CLASSIFICATION
from tests.infra.promise import Stacks, promise, setting, without
from tests.infra.template import Json, Template

UNTAGGED = {"AWS::Budgets::Budget"}
"""Types whose tags the library cannot set for all; a budget holds nothing and costs nothing."""


def _tag_property(resource_type: str) -> str | None:
    """The property that holds the tags of a type, by its CloudFormation schema."""
    schema = cast("dict[str, Any]", PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource_type).schema)
    tagging = schema.get("tagging", {})
    if not tagging.get("taggable", True):
        return None
    name = tagging.get("tagProperty", "/properties/Tags").rpartition("/")[2]
    return name if name in schema["properties"] else None


def _tags(resource: Json) -> dict[str, str] | None:
    """Of a resource; ``None`` where its type has none, or where the library makes it in a way that has none."""
    made_by_the_library = "CustomResourceProvider" in resource.get("Metadata", {}).get("aws:cdk:path", "")
    if made_by_the_library or resource["Type"].startswith("Custom::") or resource["Type"] in UNTAGGED:
        return None
    if (name := _tag_property(resource["Type"])) is None:
        return None
    tags: dict[str, str] | list[Json] = resource.get("Properties", {}).get(name, {})
    return tags if isinstance(tags, dict) else {tag["Key"]: tag["Value"] for tag in tags}


def _untagged(templates: list[Template], environment: str) -> list[str]:
    wanted = {"application": "sanctum", "environment": environment}
    found: list[str] = []
    for template in templates:
        for logical_id, resource in template.resources().items():
            tags = _tags(resource)
            classified = CLASSIFICATION.get(resource["Type"])
            expected = wanted | ({"classification": classified} if classified else {})
            if tags is not None and not expected.items() <= tags.items():
                found.append(f"{template.stack} {logical_id} {resource['Type']}")
    return found


@promise(
    a_queue_without=setting("AWS::RDS::DBCluster", "Tags", []),
    a_bucket_of_another_class=setting("AWS::Logs::LogGroup", "Tags.1.Value", "public"),
    tags_as_a_map=without("AWS::SNS::Topic", "Tags"),
)
def test_everything_is_tagged_and_what_holds_data_is_classified(stacks: Stacks) -> None:
    assert _untagged(list(stacks.templates.values()), stacks.settings.name) == []


def test_the_pipeline_is_tagged_too(application: dict[str, Template]) -> None:
    assert _untagged([t for name, t in application.items() if name.startswith("pipeline")], "pipeline") == []
