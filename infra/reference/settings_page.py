"""``docs/settings.md``."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel

from infra.costs.prices import Prices
from infra.delivery.settings import Pipeline
from infra.markdown import table
from infra.reference.allowed import allowed, default
from infra.reference.docstrings import field_docstrings
from infra.reference.setting_costs import cost_of
from infra.settings import Environment

HEAD = """\
<!-- Written by `make reference`; change infra/setting_tables.py and run it again. -->
# Settings

What may stand in `environments/<name>.toml`. What a file leaves out has the default given here. Everything wrong in
a file is reported in one go, before anything is created. Amounts are list prices of us-east-1; [costs](costs.md) has
what a whole environment comes to.

"""

PIPELINE_HEAD = """\
# Settings of the pipeline

What may stand in `environments/pipeline.toml`. Without the file there is no pipeline."""


def settings_page(prices: Prices) -> str:
    """The page, in Markdown."""
    environment = _tables(Environment, (), lambda path: cost_of(path, prices))
    pipeline = _tables(Pipeline, (), lambda _: "")
    return HEAD + "\n\n".join([*environment, PIPELINE_HEAD, *pipeline]) + "\n"


def setting_paths(model: type[BaseModel] = Environment, above: Sequence[str] = ()) -> Iterator[str]:
    """Every setting that there is, as ``table.key``."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from setting_paths(inner, (*above, name))
        else:
            yield ".".join((*above, name))


def _tables(
    model: type[BaseModel], path: Sequence[str], cost: Callable[[str], str], *, several: str = ""
) -> Iterator[str]:
    """A section for ``model``, and one for each table in it; ``several`` says of a list what its order means."""
    schema = model.model_json_schema()
    docstrings = field_docstrings(model)
    rows: list[tuple[str, ...]] = []
    inner: list[str] = []
    for name, field in model.model_fields.items():
        annotation, (item, *_) = field.annotation, (*get_args(field.annotation), None)
        below = (*path, name)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            inner += _tables(annotation, below, cost)
            continue
        if isinstance(item, type) and issubclass(item, BaseModel):
            inner += _tables(item, below, cost, several=f" One or more. {docstrings[name]}")
            continue
        property_schema: Mapping[str, Any] = schema["properties"][name]
        costs = cost(".".join(below))
        rows.append(
            (
                f"`{name}`",
                f"{docstrings[name]}{f' **Costs:** {costs}' if costs else ''}",
                allowed(property_schema),
                default(property_schema, required=field.is_required()),
            )
        )
    if rows:
        purpose = " ".join((model.__doc__ or "").split()).replace("``", "`") + several
        name = ".".join(path)
        title = f"`[[{name}]]`" if several else f"`[{name}]`" if path else "At the top"
        yield f"## {title}\n\n{purpose}\n\n" + table(("key", "what it is", "allowed", "default"), rows)
    yield from inner
