"""What is rehearsed is dev."""

import tomllib

from infra.settings import ROOT
from rehearsal import settings

OWN = {
    ("account", "id"),
    ("network", "lattice_prefix_list"),
    ("web", "domain"),
    ("operations", "emails"),
    ("model", "context_tokens"),
    ("model", "reply_tokens"),
    ("compute", "architecture"),
    ("compute", "backend"),
    ("compute", "ai_core"),
}
"""Whose account it is, what the model can that answers here, and which processors and sizes the tasks have."""


def test_what_is_rehearsed_is_dev_but_for_whose_it_is_its_model_and_its_tasks() -> None:
    rehearsed, dev = (tomllib.loads(text) for text in (settings.text(), (ROOT / "dev.toml").read_text()))
    differing = {
        (table, key)
        for table in rehearsed.keys() | dev.keys()
        if isinstance(rehearsed.get(table, {}), dict)
        for key in rehearsed.get(table, {}).keys() | dev.get(table, {}).keys()
        if rehearsed.get(table, {}).get(key) != dev.get(table, {}).get(key)
    }
    assert differing <= OWN
    assert (rehearsed["name"], rehearsed["protected"]) == (dev["name"], dev["protected"])
    assert settings.environment().compute.architecture == "X86_64"


def test_its_account_is_bootstrapped_with_the_boundary_and_our_policies() -> None:
    arguments = settings.account().bootstrap
    assert any(argument.startswith("--cloudformation-execution-policies=arn:") for argument in arguments)
    assert "--custom-permissions-boundary=sanctum-boundary" in arguments
