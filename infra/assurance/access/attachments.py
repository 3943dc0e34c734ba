"""Which policies hold for whom: inline ones, managed ones from either side, groups', and boundaries.

<https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html>. A managed policy of the
application's own that is attached to nobody may still be given to somebody by hand: it has a holder of its own.
"""

from collections import defaultdict
from functools import lru_cache
from typing import Final

from infra.assurance.access.managed_policies import aws_managed, is_aws_managed
from infra.assurance.access.policies.document import Document
from infra.assurance.access.reading import document, listed, reading
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource

ROLE: Final = "AWS::IAM::Role"
USER: Final = "AWS::IAM::User"
GROUP: Final = "AWS::IAM::Group"
MANAGED: Final = "AWS::IAM::ManagedPolicy"

# The properties of a policy that name whom it is attached to, and the type of whom they name.
_TARGETS: Final = {
    "AWS::IAM::Policy": {"Roles": ROLE, "Users": USER, "Groups": GROUP},
    MANAGED: {"Roles": ROLE, "Users": USER, "Groups": GROUP},
    "AWS::IAM::RolePolicy": {"RoleName": ROLE},
    "AWS::IAM::UserPolicy": {"UserName": USER},
    "AWS::IAM::GroupPolicy": {"GroupName": GROUP},
}


class Attachments:
    """The policies of an assembly, by whom they hold for."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._attached: dict[Resource, list[Document]] = defaultdict(list)
        self._members: dict[Resource, list[Resource]] = defaultdict(list)  # groups by user
        self.outside: dict[str, list[Document]] = defaultdict(list)
        """Policies of roles and users that are not in the assembly, by their ARN."""
        self._read_documents: dict[Resource, Document] = {}
        self._read: dict[Resource, list[Document]] = {}
        for policy in model.of_type(*_TARGETS):
            with reading(model, policy):
                self._attach(policy)
        for addition in model.of_type("AWS::IAM::UserToGroupAddition"):
            with reading(model, addition):
                self._add(addition)

    @classmethod
    @lru_cache(maxsize=2)
    def of_model(cls, model: Model) -> "Attachments":
        """Those of a model, read once."""
        return cls(model)

    def of(self, holder: Resource) -> list[Document]:
        """The identity policies of a role or a user; one that is not understood, or not there, is refused by itself."""
        if holder not in self._read:
            self._read[holder] = self._read_policies(holder)
        return self._read[holder]

    def _read_policies(self, holder: Resource) -> list[Document]:
        found = list(self._attached[holder])
        for inline in listed(holder.value("Policies")):
            with reading(self._model, holder):
                found.append(document(inline["PolicyDocument"], holder))
        for arn in listed(holder.value("ManagedPolicyArns")):
            with reading(self._model, holder):
                found.append(self._managed(arn, holder))
        for group in self._groups(holder):
            found += self.of(group)
        return found

    def boundary(self, holder: Resource) -> Document | None:
        """What limits a role or a user; None where nothing does, or a policy that no template has.

        A limit that is not known is taken as none: that overstates what the holder may do, and never hides it.
        """
        arn = holder.value("PermissionsBoundary")
        if not isinstance(arn, str):
            return None
        if own := self._model.find(arn, MANAGED):
            return self._document(own)
        text = aws_managed(arn) if is_aws_managed(arn) else None
        return Document.parse(text, arn) if text else None

    def held_by_nobody(self) -> list[tuple[Resource, Document]]:
        """Managed policies that no template attaches or uses as a boundary."""
        used: set[Resource | None] = set()
        for holder in self._model.of_type(ROLE, USER, GROUP):
            with reading(self._model, holder):
                arns = [*listed(holder.value("ManagedPolicyArns")), holder.value("PermissionsBoundary")]
                used |= {self._model.find(arn, MANAGED) for arn in arns}
        found: list[tuple[Resource, Document]] = []
        for policy in self._model.of_type(MANAGED):
            if policy not in used and not any(policy.value(key) for key in _TARGETS[MANAGED]):
                with reading(self._model, policy):
                    found.append((policy, self._document(policy)))
        return found

    def _attach(self, policy: Resource) -> None:
        for key, type_ in _TARGETS[policy.type].items():
            for name in listed(policy.value(key)):
                holder = self._model.find(name, type_, near=policy)
                if holder:
                    self._attached[holder].append(self._document(policy))
                else:
                    kind = type_.rpartition("::")[2].lower()
                    arn = f"arn:{policy.stack.partition}:iam::{policy.stack.account}:{kind}/{name}"
                    self.outside[arn].append(self._document(policy))

    def _add(self, addition: Resource) -> None:
        group = self._model.find(addition.value("GroupName"), GROUP, near=addition)
        if group is None:
            raise addition.refuse(f"names the group {addition.value('GroupName')}, which no template has")
        for name in listed(addition.value("Users")):
            if user := self._model.find(name, USER, near=addition):
                self._members[user].append(group)

    def _groups(self, holder: Resource) -> list[Resource]:
        if holder.type != USER:
            return []
        groups = list(self._members[holder])
        for name in listed(holder.value("Groups")):
            group = self._model.find(name, GROUP, near=holder)
            if group is None:
                raise holder.refuse(f"is in the group {name}, whose policies are in no template")
            groups.append(group)
        return groups

    def _document(self, policy: Resource) -> Document:
        if policy not in self._read_documents:
            self._read_documents[policy] = document(policy.value("PolicyDocument"), policy)
        return self._read_documents[policy]

    def _managed(self, arn: str, holder: Resource) -> Document:
        if own := self._model.find(arn, MANAGED):
            return self._document(own)
        text = aws_managed(arn) if is_aws_managed(arn) else None
        if text is None:
            raise holder.refuse(f"has the managed policy {arn}, whose text is not in the assembly")
        return Document.parse(text, arn)
