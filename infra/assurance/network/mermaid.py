"""The graph as Mermaid draws it: <https://mermaid.js.org/syntax/flowchart.html>."""

from collections.abc import Iterable

from infra.assurance.facts import Fact, Relation


def mermaid(facts: Iterable[Fact]) -> str:
    """The edges of `reaches` among the facts as a flowchart, nodes of one CDK stage in one box."""
    edges = sorted({fact.values: fact for fact in facts if fact.relation == Relation.REACHES}.items())
    stages = {resource.name: resource.stack.stage for _, fact in edges for resource in fact.evidence}
    names = sorted({name for (source, target, _), _ in edges for name in (source, target)})
    ids = {name: f"n{number}" for number, name in enumerate(names)}
    boxes: dict[str, list[str]] = {}
    for name in names:
        boxes.setdefault(stages.get(name, ""), []).append(name)
    lines = ["flowchart LR"]
    for number, (stage, members) in enumerate(sorted(boxes.items())):
        indent = "    " if stage else "  "
        lines += [f"  subgraph s{number}[{_quoted(stage)}]"] if stage else []
        lines += [f"{indent}{ids[name]}[{_quoted(name.removeprefix(f'{stage}/'))}]" for name in members]
        lines += ["  end"] if stage else []
    lines += [f"  {ids[source]} -->|{_quoted(ports)}| {ids[target]}" for (source, target, ports), _ in edges]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A label: Mermaid has entities instead of escapes."""
    return '"' + text.replace("&", "#amp;").replace('"', "#quot;") + '"'
