"""What a deployment would remove, replace or leave with less protection, and cannot bring back."""

from infra.assurance.stateful.guard import Outcome, changes

__all__ = ["Outcome", "changes"]
