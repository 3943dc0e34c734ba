"""``docs/settings.md``."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from infra.costs.prices import Prices
from infra.markdown import table
from infra.reference.allowed import allowed, default
from infra.reference.docstrings import field_docstrings
from infra.reference.setting_costs import cost_of
from infra.settings import Environment

HEAD = """\
<!-- Written by `python -m infra.reference`; change infra/setting_tables.py and run it again. -->
# Settings

What may stand in `environments/<name>.toml`. What a file leaves out has the default given here. Everything wrong in
a file is reported in one go, before anything is created. Amounts are list prices of us-east-1; [costs](costs.md) has
what a whole environment comes to.

"""


def settings_page(prices: Prices) -> str:
    """The page, in Markdown."""
    return HEAD + "\n\n".join(_tables(Environment, (), prices)) + "\n"


def setting_paths(model: type[BaseModel] = Environment, above: Sequence[str] = ()) -> Iterator[str]:
    """Every setting that there is, as ``table.key``."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from setting_paths(inner, (*above, name))
        else:
            yield ".".join((*above, name))


def _tables(model: type[BaseModel], path: Sequence[str], prices: Prices) -> Iterator[str]:
    schema = model.model_json_schema()
    docstrings = field_docstrings(model)
    rows: list[tuple[str, ...]] = []
    inner: list[str] = []
    for name, field in model.model_fields.items():
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            inner += _tables(annotation, (*path, name), prices)
            continue
        property_schema: Mapping[str, Any] = schema["properties"][name]
        cost = cost_of(".".join((*path, name)), prices)
        rows.append(
            (
                f"`{name}`",
                f"{docstrings[name]}{f' **Costs:** {cost}' if cost else ''}",
                allowed(property_schema),
                default(property_schema, required=field.is_required()),
            )
        )
    if rows:
        title = f"`[{'.'.join(path)}]`" if path else "At the top"
        purpose = " ".join((model.__doc__ or "").split()).replace("``", "`")
        yield f"## {title}\n\n{purpose}\n\n" + table(("key", "what it is", "allowed", "default"), rows)
    yield from inner
