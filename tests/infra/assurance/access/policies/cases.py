"""Requests made up at random, with all the policies around them: near the line between allowed and denied."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from infra.assurance.access.policies.document import Document
from infra.assurance.access.policies.evaluate import Kind, Principal, Request, ResourceKind, decide

OWN, OTHER = "111122223333", "999988887777"

# What is asked for, and how the resource's own policy counts.
ACTIONS: Final = {
    "s3:GetObject": ("arn:aws:s3:::data/reports/july", ResourceKind.ORDINARY),
    "secretsmanager:GetSecretValue": (f"arn:aws:secretsmanager:eu-central-1:{OWN}:secret:db-a1", ResourceKind.ORDINARY),
    "lambda:InvokeFunction": (f"arn:aws:lambda:eu-central-1:{OWN}:function:jobs", ResourceKind.ORDINARY),
    "kms:Decrypt": (f"arn:aws:kms:eu-central-1:{OWN}:key/one", ResourceKind.KEY),
    "sts:AssumeRole": (f"arn:aws:iam::{OWN}:role/target", ResourceKind.ROLE),
}
# Keys that a request has or lacks, with the values it may have; the last two have several at once.
KEYS: Final = {
    "aws:SecureTransport": ("true", "false"),
    "aws:SourceIp": ("10.1.2.3", "203.0.113.9"),
    "aws:CurrentTime": ("2026-01-01T00:00:00Z", "2027-06-01T12:00:00Z"),
    "aws:PrincipalTag/team": ("data", "web"),
    "kms:ViaService": ("secretsmanager.eu-central-1.amazonaws.com", "s3.eu-central-1.amazonaws.com"),
    "s3:max-keys": ("5", "10"),
    "aws:SourceArn": (f"arn:aws:sns:eu-central-1:{OWN}:topic", f"arn:aws:s3:::{OTHER}"),
    "kms:EncryptionContext:purpose": ("messages", "memories"),
    "aws:TagKeys": ("team", "stage", "cost"),
    "kms:EncryptionContextKeys": ("purpose", "tenant", "Purpose"),
}
MULTIPLE: Final = ("aws:TagKeys", "kms:EncryptionContextKeys")
LACKED: Final = "aws:PrincipalTag/none"


@dataclass(frozen=True)
class Case:
    """One request with all policies around it, as JSON."""

    arn: str
    session: str | dict[str, str]
    account: str
    kind: Kind
    action: str
    identity: Sequence[Any]
    boundary: Any
    organisation: Sequence[Any]
    resource_policy: Any
    context: Mapping[str, Sequence[str]]
    known: frozenset[str] = frozenset({*KEYS, LACKED})

    @property
    def resource(self) -> str:
        return ACTIONS[self.action][0]

    def decided(self) -> bool:
        principal = Principal(
            self.arn,
            self.account,
            self.kind,
            identity=[Document.parse(each, "identity") for each in self.identity],
            boundary=Document.parse(self.boundary, "boundary") if self.boundary else None,
        )
        context = {key: tuple(self.context.get(key, ())) for key in self.known}
        request = Request(principal, self.action, self.resource, OWN, context)
        policy = Document.parse(self.resource_policy, "resource") if self.resource_policy else None
        limits = [[Document.parse(each, "organisation")] for each in self.organisation]
        return decide(request, resource_policy=policy, resource_kind=ACTIONS[self.action][1], limits=limits).allowed

    def simulation(self) -> dict[str, Any]:
        context: dict[str, Any] = {
            key: list(values) if key in MULTIPLE else values[0] for key, values in self.context.items()
        }
        if self.kind in {Kind.ROLE, Kind.USER}:
            context |= {"aws:PrincipalArn": self.arn, "aws:PrincipalAccount": self.account}
        return {
            "principal": self.session,
            "action": self.action,
            "resource": self.resource,
            "account": OWN,
            "context": context,
            "identity": self.identity,
            "boundary": self.boundary or None,
            "organisation": self.organisation,
            "resourcePolicy": self.resource_policy,
        }


class Cases:
    """An endless supply, the same for a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - the same cases in every run

    def chance(self, of: float) -> bool:
        return self.random.random() < of

    def some_of(self, values: Sequence[Any], most: int = 2) -> list[Any]:
        return self.random.sample(values, self.random.randint(1, min(most, len(values))))

    def case(self) -> Case:
        action = self.random.choice(list(ACTIONS))
        account = self.random.choice((OWN, OWN, OTHER))
        kind = self.random.choice((Kind.ROLE, Kind.ROLE, Kind.USER, Kind.SERVICE, Kind.ANYONE))
        arn, session = {
            Kind.ROLE: (f"arn:aws:iam::{account}:role/team/worker", f"arn:aws:sts::{account}:assumed-role/worker/now"),
            Kind.USER: (f"arn:aws:iam::{account}:user/ann", f"arn:aws:iam::{account}:user/ann"),
            Kind.SERVICE: ("sns.amazonaws.com", "sns.amazonaws.com"),
            Kind.ANYONE: ("*", {"type": "Anonymous"}),
        }[kind]
        has_own = kind in {Kind.ROLE, Kind.USER}
        resource = ACTIONS[action][0]
        return Case(
            arn=arn,
            session=session,
            account=account if has_own else "",
            kind=kind,
            action=action,
            identity=[self.policy(action, resource) for _ in range(self.random.randint(0, 2))] if has_own else [],
            boundary=self.policy(action, resource) if has_own and self.chance(0.3) else None,
            organisation=[self.policy(action, resource)] if has_own and self.chance(0.2) else [],
            resource_policy=self.policy(action, resource, principals=arn)
            if action == "sts:AssumeRole" or self.chance(0.7)
            else None,
            context={
                key: self.some_of(values, 3 if key in MULTIPLE else 1)
                for key, values in KEYS.items()
                if self.chance(0.7)
            },
        )

    def policy(self, action: str, resource: str, principals: str = "") -> Any:
        statements = [self.statement(action, resource, principals) for _ in range(self.random.randint(1, 3))]
        text = {"Version": "2012-10-17", "Statement": statements if self.chance(0.9) else statements[0]}
        if "${" not in str(text) and self.chance(0.2):  # without a version, variables are none: the simulator has them
            del text["Version"]
        return text

    def statement(self, action: str, resource: str, principals: str) -> dict[str, Any]:
        allows = self.chance(0.75)
        statement: dict[str, Any] = {"Effect": "Allow" if allows else "Deny"}
        statement["Action" if self.chance(0.9) else "NotAction"] = self.patterns(self.actions(action))
        if not (principals and action == "sts:AssumeRole"):
            chosen = self.patterns(self.resources(resource))
            # Of a variable without a value in NotResource, AWS does not say what it means.
            statement["NotResource" if "${" not in str(chosen) and self.chance(0.15) else "Resource"] = chosen
        if principals:
            if self.chance(0.1):
                statement["NotPrincipal"] = self.others(principals)
            else:
                statement["Principal"] = self.principal(principals)
        conditions: dict[str, Any] = {}
        while self.chance(0.35):
            operator, key, values = self.condition()
            conditions.setdefault(operator, {})[key] = values
        return {**statement, "Condition": conditions} if conditions else statement

    def patterns(self, choices: Sequence[str]) -> str | list[str]:
        chosen = self.some_of(choices)
        return chosen if len(chosen) > 1 or self.chance(0.5) else chosen[0]

    def actions(self, action: str) -> list[str]:
        service, _, name = action.partition(":")
        return [
            "*", action, action, f"{service}:*", f"{service}:{name[:3]}*", f"{service}:{name.lower()}",
            f"{service}:?{name[1:]}", f"{service}:*{name[-4:]}", f"{service}:{name}s", "ec2:*",
        ]  # fmt: skip

    def resources(self, resource: str) -> list[str]:
        *parts, last = resource.split(":", 5)
        front = ":".join(parts)
        return [
            "*", resource, resource, f"{front}:*", f"{front}:{last[:4]}*", f"{front}:{last[:-1]}?", f"{front}:?{last}",
            f"arn:*:{parts[2]}:*:*:{last}", f"arn:aws:{parts[2]}:*:{OTHER}:{last}", f"{front}:*{last[-2:]}",
            f"{front}:{last}${{aws:PrincipalTag/team}}", f"{front}:{last[:-1]}${{{LACKED}, '{last[-1]}'}}",
        ]  # fmt: skip

    def principal(self, arn: str) -> Any:
        account = arn.split(":")[4] if ":" in arn else OWN
        choices = [
            "*", {"AWS": "*"}, {"AWS": account}, {"AWS": f"arn:aws:iam::{account}:root"}, {"AWS": [OWN, OTHER]},
            {"AWS": f"arn:aws:iam::{OWN}:user/bob"}, {"Service": ["sns.amazonaws.com", "s3.amazonaws.com"]},
            {"Service": "s3.amazonaws.com"}, {"AWS": f"arn:aws:iam::{OTHER}:role/team/worker"},
        ]  # fmt: skip
        if arn.startswith("arn:"):
            choices += [{"AWS": arn}, {"AWS": [arn, OWN]}, {"AWS": arn, "Service": "s3.amazonaws.com"}]
        return self.random.choice(choices)

    def others(self, arn: str) -> Any:
        """For NotPrincipal: nobody who asks, or the caller with its account; of less, AWS and the simulator differ."""
        choices: list[Any] = [{"AWS": f"arn:aws:iam::{OWN[::-1]}:user/bob"}, {"Service": "s3.amazonaws.com"}]
        if arn.startswith("arn:"):
            choices.append({"AWS": [arn, arn.split(":")[4]]})
        return self.random.choice(choices)

    def condition(self) -> tuple[str, str, Any]:
        """An operator on a key of a fitting kind."""
        kinds: dict[str, tuple[Sequence[str], Sequence[str]]] = {
            "String": (("Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike"),
                       ("aws:PrincipalTag/team", "kms:ViaService", "kms:EncryptionContext:purpose")),
            "Arn": (("Equals", "Like", "NotEquals", "NotLike"), ("aws:SourceArn",)),
            "Numeric": (("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"),
                        ("s3:max-keys",)),
            "Date": (("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"),
                     ("aws:CurrentTime",)),
            "Bool": (("",), ("aws:SecureTransport",)),
            "IpAddress": (("",), ("aws:SourceIp",)),
            "NotIpAddress": (("",), ("aws:SourceIp",)),
            "Null": (("",), tuple(KEYS)),
        }  # fmt: skip
        kind = self.random.choice(list(kinds))
        endings, keys = kinds[kind]
        key = self.random.choice(list(keys))
        operator = kind + self.random.choice(list(endings))
        if kind == "Null":
            return operator, key, self.random.choice(("true", "false", True, [False]))
        if kind == "String" and self.chance(0.3):
            key = self.random.choice(MULTIPLE)
            operator = self.random.choice(("ForAllValues:", "ForAnyValue:")) + operator
        if not operator.startswith("ForAny") and self.chance(0.3):
            operator += "IfExists"
        return operator, key, self.patterns(self.values(kind, key))

    def values(self, kind: str, key: str) -> list[str]:
        plain = list(KEYS[key])
        if kind == "String":
            return [*plain, plain[0].upper(), plain[0][:2] + "*", "?" + plain[1][1:], f"${{{LACKED}, '{plain[0]}'}}"]
        if kind == "Arn":
            return [*plain, "arn:*:sns:*:*:*", f"arn:aws:sns:*:{OTHER}:topic", "arn:aws:s3:::*", "arn:aws:s?s:*:*:top*"]
        if kind == "Numeric":
            return [*plain, "7", "5.0"]
        if kind == "Date":
            return [*plain, "2026-09-01T00:00:00Z"]
        return ["10.0.0.0/8", "203.0.113.9/32", "10.1.2.3", "10.1.0.0/16"] if kind.endswith("IpAddress") else plain
