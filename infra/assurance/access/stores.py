"""Stores of data that IAM alone guards, and who reads each: objects in buckets, images, tables, queues, streams.

What lies in a bucket is read by who may get an object *and* use the key it is sealed with:
<https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html>. A bucket's block of public access is
no reason to leave a row out: it is a second door, and the policy stays wrong without it.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from infra.assurance.access.actors import ANYONE, Actor
from infra.assurance.access.desk import OPEN, Desk, Question, sentence
from infra.assurance.access.guarded import Attached, Context, Doors, Guarded
from infra.assurance.access.keys import DECRYPT, Keys, opens
from infra.assurance.access.reading import listed, reading, texts, within
from infra.assurance.facts import Fact, Relation
from infra.assurance.model.assembly import Json
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource

BUCKET: Final = "AWS::S3::Bucket"
FILES: Final = "AWS::EFS::FileSystem"
REPOSITORY: Final = "AWS::ECR::Repository"
# By type: the property of its policy, and the actions that read, of which any one will do.
_OTHERS: Final = {
    # A vault's copies: <https://docs.aws.amazon.com/aws-backup/latest/devguide/create-a-vault-access-policy.html>.
    "AWS::Backup::BackupVault": ("AccessPolicy", ("backup:CopyFromBackupVault",)),
    "AWS::DynamoDB::Table": ("ResourcePolicy", ("dynamodb:GetItem", "dynamodb:Scan", "dynamodb:Query")),
    "AWS::DynamoDB::GlobalTable": ("", ("dynamodb:GetItem", "dynamodb:Scan", "dynamodb:Query")),
    # Without a policy, whoever reaches it may mount it:
    # <https://docs.aws.amazon.com/efs/latest/ug/iam-access-control-nfs-efs.html>.
    "AWS::EFS::FileSystem": ("FileSystemPolicy", ("elasticfilesystem:ClientMount",)),
    "AWS::Kinesis::Stream": ("", ("kinesis:GetRecords", "kinesis:SubscribeToShard")),
    "AWS::SNS::Topic": ("", ("sns:Subscribe",)),
    "AWS::SQS::Queue": ("", ("sqs:ReceiveMessage",)),
}
_ATTACHED: Final = (
    Attached("AWS::S3::BucketPolicy", "Bucket", "PolicyDocument"),
    Attached("AWS::SNS::TopicInlinePolicy", "TopicArn", "PolicyDocument"),
    Attached("AWS::SQS::QueueInlinePolicy", "Queue", "PolicyDocument"),
    Attached("AWS::SQS::QueuePolicy", "Queues", "PolicyDocument"),
    Attached("AWS::SNS::TopicPolicy", "Topics", "PolicyDocument"),
    Attached("AWS::Kinesis::ResourcePolicy", "ResourceArn", "ResourcePolicy"),
)
# <https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl>
_OPEN_ACLS: Final = frozenset({"PublicRead", "PublicReadWrite", "AuthenticatedRead"})
_OBJECTS: Final = ("s3:GetObject", "s3:GetObjectVersion")
_QUEUE: Final = re.compile(r"https://sqs\.([a-z0-9-]+)\.[a-z.]+/(\d+)/(.+)")
_PULL: Final = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
_IMAGE: Final = re.compile(r"(\d{12})\.dkr[.-]ecr\.([a-z0-9-]+)\.[a-z.]+/([^:@\"\s]+)")
_NAMED: Final = re.compile(r"arn:[a-z-]+:ecr:[a-z0-9-]+:\d{12}:repository/[A-Za-z0-9._/-]+(?=\")")


class Store(NamedTuple):
    """Something that is read: by any one of `actions`, or by all of them."""

    door: Guarded
    relation: Relation
    actions: tuple[str, ...]
    all_needed: bool = False
    key: Guarded | None = None


class Stores:
    """The stores of an assembly."""

    def __init__(self, model: Model, keys: Keys) -> None:
        self._model = model
        types = {BUCKET: "", REPOSITORY: "RepositoryPolicyText", **{type_: key for type_, (key, _) in _OTHERS.items()}}
        self._doors = Doors(model, types, _ATTACHED)
        self._keys = keys
        self.all: list[Store] = []
        for door in self._doors.known():
            with reading(model, door.resource):
                self.all.append(self._store(door))
        for policy, target in self._doors.strays():
            with reading(model, policy):
                self.all.append(self._elsewhere(policy, target))
        for arn, evidence in self._images().items():
            if not any(store.door.arn == arn for store in self.all):
                door = self._doors.named("repository", arn, evidence)
                self.all.append(Store(door, Relation.PULLS, _PULL, all_needed=True))

    def _store(self, door: Guarded) -> Store:
        resource = door.resource
        if resource.type == BUCKET:
            return Store(door, Relation.READS, _OBJECTS, key=self._sealed_with(resource))
        if resource.type == REPOSITORY:
            return Store(door, Relation.PULLS, _PULL, all_needed=True)
        if resource.type == FILES and door.policy is None:
            door = door._replace(policy=OPEN)
        return Store(door, Relation.READS, _OTHERS[resource.type][1])

    def _elsewhere(self, policy: Resource, target: str) -> Store:
        """What no template makes, though one attaches a policy to it: told by ARN, a bucket by name, a queue by URL."""
        stack = policy.stack
        if policy.type == "AWS::S3::BucketPolicy":
            door = self._doors.named("bucket", f"arn:{stack.partition}:s3:::{target}", policy)
            return Store(door, Relation.READS, _OBJECTS)
        if url := _QUEUE.fullmatch(target):
            target = "arn:{}:sqs:{}:{}:{}".format(stack.partition, *url.groups())
        service = target.split(":")[2] if target.startswith("arn:") else ""
        actions = next((actions for _, actions in _OTHERS.values() if actions[0].startswith(f"{service}:")), None)
        if actions is None:
            raise policy.refuse(f"guards {target}, which no template has")
        return Store(
            self._doors.named(service, target, policy)._replace(policy=self._doors.at(policy)), Relation.READS, actions
        )

    def _sealed_with(self, bucket: Resource) -> Guarded | None:
        rules: list[Json] = listed(within(bucket.value("BucketEncryption"), "ServerSideEncryptionConfiguration"))
        for rule in rules:
            default = within(rule, "ServerSideEncryptionByDefault")
            if str(within(default, "SSEAlgorithm")).startswith("aws:kms"):
                return self._keys.of(within(default, "KMSMasterKeyID"), "s3", bucket)
        return None

    def _images(self) -> dict[str, Resource]:
        """Repositories that templates name, as an image's address or in a policy, by ARN with who names them first."""
        found: dict[str, Resource] = {}
        for resource, text in texts(self._model).items():
            for account, region, name in _IMAGE.findall(text) if ".dkr" in text else ():
                arn = f"arn:{resource.stack.partition}:ecr:{region}:{account}:repository/{name}"
                found.setdefault(arn, resource)
            for arn in _NAMED.findall(text) if ":ecr:" in text else ():
                found.setdefault(arn, resource)
        return found


def read(desk: Desk, stores: Stores) -> Iterator[Fact]:
    """Who reads what is stored, and pulls which images."""
    for store in stores.all:
        door = store.door
        for actor, steps in _readers(desk, store).items():
            yield Fact(store.relation, (actor.name, door.name), (*actor.evidence, *door.evidence), steps)
        acl = door.resource.value("AccessControl") if door.known else None
        if acl in _OPEN_ACLS:
            step = f"{ANYONE} may read what the ACL {acl} of {door.name} covers"
            yield Fact(Relation.READS, (ANYONE, door.name), door.evidence, (step,))


def _readers(desk: Desk, store: Store) -> dict[Actor, tuple[str, ...]]:
    by_action = [_by_action(desk, store, action) for action in store.actions]
    found: dict[Actor, tuple[str, ...]] = {}
    for answers in by_action:
        for actor, steps in answers.items():
            if not store.all_needed or all(actor in others for others in by_action):
                found.setdefault(actor, steps)
    return found


def _by_action(desk: Desk, store: Store, action: str) -> dict[Actor, tuple[str, ...]]:
    door = store.door
    found: dict[Actor, tuple[str, ...]] = {}
    for part in desk.parts(door, "s3") if action.startswith("s3:") else [door.arn]:
        for actor, decision in desk.answers(Question(action, door, resource=part), besides=found).items():
            steps = (sentence(actor, action, door, decision),)
            if store.key is None:
                found[actor] = steps
            elif unsealing := _unsealing(desk, store, store.key, actor, part):
                found[actor] = (*steps, unsealing)
    return found


def _unsealing(desk: Desk, store: Store, key: Guarded, actor: Actor, part: str) -> str:
    """How an actor uses the bucket's key for an object in it; "" if it may not."""
    # With a bucket key the context is the bucket, else the object.
    contexts: tuple[Context, ...] = ({"aws:s3:arn": (store.door.arn,)}, {"aws:s3:arn": (part,)})
    via = f"s3.{store.door.region}.amazonaws.com"
    decisions = (opens(desk, actor, key, via, context) for context in contexts)
    return next((sentence(actor, DECRYPT, key, decision) for decision in decisions if decision.allowed), "")
