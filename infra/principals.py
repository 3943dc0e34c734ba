"""Who a policy or a role is for.

As the interface that the library asks for: jsii names the parameters of its classes otherwise than those of the
interfaces they implement, which a type checker takes for another type. For the same reason the rest of ``infra`` has
a ``cast`` here and there. One is made for each: it has no state, and each costs a way to the library and back.
"""

import functools
from typing import cast

from aws_cdk import aws_iam as iam


@functools.cache
def service(name: str, *, account: str | None = None, source_arn: str | None = None) -> iam.IPrincipal:
    """A service of AWS; with ``account`` and ``source_arn`` only when it acts for that account and that thing of it."""
    source = {"aws:SourceAccount": account, "aws:SourceArn": source_arn}
    known = {key: value for key, value in source.items() if value}
    return cast("iam.IPrincipal", iam.ServicePrincipal(name, conditions={"StringEquals": known} if known else None))


@functools.cache
def account(number: str) -> iam.IPrincipal:
    """Everybody of an account, as far as their own policies let them."""
    return cast("iam.IPrincipal", iam.AccountPrincipal(number))


@functools.cache
def anyone() -> iam.IPrincipal:
    """Everybody, to be narrowed by a condition."""
    return cast("iam.IPrincipal", iam.AnyPrincipal())
