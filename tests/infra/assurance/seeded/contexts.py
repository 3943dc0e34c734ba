"""More defects: keys that encryption contexts tell apart, and secrets made at run time, for others than meant."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from infra.assurance.model.resource import Resource
from tests.infra.assurance.other_application.letters import EPOCHS, PURPOSE
from tests.infra.assurance.seeded.defect import Application, Change, Defect, Said
from tests.infra.assurance.seeded.templates import Templates

Statements: TypeAlias = list[dict[str, Any]]


def _key(templates: Templates) -> Resource:
    return next(key for key in templates.all("AWS::KMS::Key") if PURPOSE in str(key.properties))


def _statements(templates: Templates) -> Statements:
    """Of the key's policy: who administers, who uses, and the two denials."""
    return templates.properties(_key(templates))["KeyPolicy"]["Statement"]


def _role(templates: Templates, name: str) -> Resource:
    return next(role for role in templates.all("AWS::IAM::Role") if role.logical_id == name)


def _told(templates: Templates, who: str, use: str) -> Said:
    return _role(templates, who).name, "uses key", _key(templates).name, use


def _use(condition: Mapping[str, Any] | None, told: str) -> Change:
    """The roles use the key under another condition."""

    def change(templates: Templates) -> Said:
        statement = _statements(templates)[1]
        if condition is None:
            statement.pop("Condition")
        else:
            statement["Condition"] = condition
        return _told(templates, "NotesRole", told)

    return change


def _more(who: str, told: str, **statement: Any) -> Change:
    """The key's policy lets a role do more."""

    def change(templates: Templates) -> Said:
        principal = {"AWS": _role(templates, who).arn}
        _statements(templates).append({"Effect": "Allow", "Principal": principal, "Resource": "*", **statement})
        return _told(templates, who, told)

    return change


def denial_removed(templates: Templates) -> Said:
    """Nothing keeps letters from who keeps notes."""
    del _statements(templates)[2]
    return _told(templates, "NotesRole", "decrypt with purpose=letters")


def denial_of_a_wrong_purpose(templates: Templates) -> Said:
    """Letters are kept from nobody: the denial names a purpose that nothing has."""
    _statements(templates)[2]["Condition"]["StringEquals"][PURPOSE] = "letter"
    return _told(templates, "NotesRole", "decrypt with purpose=letters")


def denial_of_another_case(templates: Templates) -> Said:
    """`Letters` are denied, `letters` are not."""
    _statements(templates)[2]["Condition"]["StringEquals"][PURPOSE] = "Letters"
    return _told(templates, "NotesRole", "decrypt with purpose=letters")


def denial_of_another_key(templates: Templates) -> Said:
    """Whoever spells the key in another way is denied nothing: names of keys are compared by their case."""
    condition = _statements(templates)[2]["Condition"]
    condition["StringEquals"] = {}
    condition["ForAnyValue:StringEquals"] = {"kms:EncryptionContextKeys": "Purpose"}
    return _told(templates, "NotesRole", "decrypt with PURPOSE=letters")


def denial_without_grants(templates: Templates) -> Said:
    """Who may make grants lets anybody in."""
    _statements(templates)[1]["Action"].append("kms:CreateGrant")
    _statements(templates)[2]["Action"].remove("kms:CreateGrant")
    return _told(templates, "NotesRole", "grant with purpose=letters")


def exception_of_too_many(templates: Templates) -> Said:
    """The denial excepts every role of the account."""
    arns = f"arn:aws:iam::{_key(templates).stack.account}:role/*"
    _statements(templates)[2]["Condition"]["ArnNotEquals"]["aws:PrincipalArn"] = arns
    return _told(templates, "NotesRole", "decrypt with purpose=letters")


def left_to_the_account(templates: Templates) -> Said:
    """The key's policy leaves its use to the account, whose root has every right."""
    _statements(templates)[0]["Action"] = "kms:*"
    return f"root of {_key(templates).stack.account}", "uses key", _key(templates).name, "decrypt with another purpose"


def _epochs(*actions: str, pattern: Callable[[str], Any], says: str = "opens") -> Change:
    """Who keeps notes may do something to secrets that are named by a pattern."""

    def change(templates: Templates) -> Said:
        written: str = EPOCHS["Fn::Sub"]
        role = _role(templates, "NotesRole")
        templates.grant(role, *(f"secretsmanager:{action}" for action in actions), resource=pattern(written))
        return role.name, says, "secret:bookshop/epochs/*"

    return change


def epochs_of_another_name(templates: Templates) -> Said:
    """What rolls makes secrets of another name, of which no claim speaks."""
    name = {"Fn::Sub": EPOCHS["Fn::Sub"].replace("epochs", "ages")}
    templates.grant(_role(templates, "RollRole"), "secretsmanager:CreateSecret", resource=name)
    return "secret:bookshop/ages/*", "made by"


def sub(text: str) -> dict[str, str]:
    """`Fn::Sub`."""
    return {"Fn::Sub": text}


_CHANGES: Final[Mapping[str, Change]] = {
    "purpose dropped": _use(None, "decrypt with another purpose"),
    "purpose dropped: no context": _use(None, "decrypt without purpose"),
    "any purpose": _use({"StringLike": {PURPOSE: "*"}}, "decrypt with another purpose"),
    "purposes by a pattern": _use({"StringLike": {PURPOSE: ["notes", "let*"]}}, "decrypt with purpose=let*"),
    "purpose if there is one": _use({"StringEqualsIfExists": {PURPOSE: "notes"}}, "decrypt without purpose"),
    "purpose for all values": _use({"ForAllValues:StringEquals": {PURPOSE: "notes"}}, "decrypt without purpose"),
    "not that purpose": _use({"StringNotEquals": {PURPOSE: "letters"}}, "decrypt with another purpose"),
    "some purpose": _use({"Null": {PURPOSE: "false"}}, "decrypt with another purpose"),
    "purpose of no case": _use({"StringEqualsIgnoreCase": {PURPOSE: "Notes"}}, "decrypt with purpose=Notes"),
    "denial removed": denial_removed,
    "denial of a wrong purpose": denial_of_a_wrong_purpose,
    "denial of another case": denial_of_another_case,
    "denial of another key": denial_of_another_key,
    "denial without grants": denial_without_grants,
    "exception of too many": exception_of_too_many,
    "key left to its account": left_to_the_account,
    "kms:* for another role": _more("RollRole", "decrypt with another purpose", Action="kms:*"),
    "kms:* for another role: administers": _more("RollRole", "administer", Action="kms:*"),
    "grants without a context": _more("RollRole", "grant without purpose", Action="kms:CreateGrant"),
    "re-encryption": _more("RollRole", "decrypt without purpose", Action="kms:ReEncrypt*"),
    "other pairs of the context": _more(
        "RollRole",
        "decrypt with tenant=a without purpose",
        Action="kms:Decrypt",
        Condition={"StringEquals": {"kms:EncryptionContext:tenant": "a"}},
    ),
    "epoch keys read by another role": _epochs("GetSecretValue", pattern=sub),
    "epoch keys read by a wider name": _epochs("Get*", pattern=lambda own: sub(own.replace("epochs/", ""))),
    "epoch keys read by a narrower name": _epochs("*", pattern=lambda own: sub(own.replace("*", "0?-*"))),
    "epoch keys read, one of them": _epochs("GetSecretValue", pattern=lambda own: sub(own.replace("*", "7-AbCdEf"))),
    "epoch keys read in any region": _epochs(
        "GetSecretValue", pattern=lambda own: sub(own.replace("${AWS::Region}", "*"))
    ),
    "epoch keys read by all secrets": _epochs("GetSecretValue", pattern=lambda _: "*"),
    "epoch keys deleted by another role": _epochs("DeleteSecret", pattern=sub, says="deleted by"),
    "epoch keys made by another role": _epochs("CreateSecret", pattern=sub, says="made by"),
    "epoch keys copied by another role": _epochs("ReplicateSecret*", pattern=sub, says="copied by"),
    "epoch keys opened by their policy": _epochs("PutResourcePolicy", pattern=sub, says="changed by"),
    "secrets of another name": epochs_of_another_name,
}

CONTEXTS: Final[Mapping[str, Defect]] = {
    name: Defect(name, change, (Application.BOOKSHOP,)) for name, change in _CHANGES.items()
}
