"""The tables of ``environments/<name>.toml``: every key, what it means, what is allowed and its default.

Imports no CDK: ``local`` reads it too.
"""

import re
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

REGION = r"^[a-z]{2}-[a-z]+-\d$"
PROFILE = r"^(us|eu|apac|jp|au|ca|global)\."
"""How ids of geographic inference profiles begin."""

FARGATE_MEMORY_MIB: Mapping[int, Sequence[int]] = {
    256: (512, 1024, 2048),
    512: range(1024, 4096 + 1, 1024),
    1024: range(2048, 8192 + 1, 1024),
    2048: range(4096, 16384 + 1, 1024),
    4096: range(8192, 30720 + 1, 1024),
}
"""Memory that a task may have, by its CPU units (Amazon ECS guide, "Task CPU and memory")."""

SUBNET_PREFIX = 24
"""Public and data subnets: the load balancer may take 100 addresses of one."""

LATTICE_MISSING = {"use1-az3", "usw1-az2", "apne1-az3", "apne2-az2", "euc1-az2", "euw1-az4", "cac1-az3", "ilc1-az2"}
"""Availability zone ids without VPC Lattice (its user guide, "Quotas")."""

VPC_PREFIX = range(16, 20)

Strategy = Literal["rolling", "canary", "blue_green"]
Seconds = Annotated[int, Field(ge=1)]
Email = Annotated[str, Field(pattern=r"^[^@\s\"'<>]+@[^@\s\"'<>]+\.[a-z]{2,}$")]
Capacity = Annotated[float, Field(ge=0, le=256, multiple_of=0.5)]


class Table(BaseModel):
    """A table of the file: unknown keys and values of another type are refused, and defaults that do not go with what
    the file says."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, validate_default=True)


class Account(Table):
    """Where the environment lives."""

    id: str = Field(pattern=r"^\d{12}$")
    """AWS account, 12 digits in quotes."""
    region: str = Field(pattern=REGION)
    """AWS region, like ``us-east-1``. Other partitions (China, GovCloud) were not considered."""
    fargate_vcpus: int = Field(default=6, ge=1)
    """Service quota of the account and region for Fargate On-Demand vCPUs: 6 in a new account, more on request. A
    deployment needs twice what runs at the most, and one task more."""
    trail: bool = True
    """Make a CloudTrail trail of management events, which every use of a key is; ``false`` where the account or its
    organisation has one."""


class Network(Table):
    """Addresses and availability zones."""

    cidr: IPv4Network
    """Addresses of the VPC, /16 to /19; must not overlap a network it is ever to be joined with."""
    zones: tuple[str, ...] = Field(min_length=2, max_length=3)
    """Availability zones by name; 3 where the service must survive the loss of one at full strength."""
    zone_ids: tuple[str, ...] = ()
    """The same zones by id (``aws ec2 describe-availability-zones``), to refuse those without VPC Lattice: which
    id a name stands for differs by account."""
    lattice_prefix_list: str = Field(pattern=r"^pl-[0-9a-f]{8,17}$")
    """Addresses of VPC Lattice in the region: ``aws ec2 describe-managed-prefix-lists --filters
    Name=prefix-list-name,Values=com.amazonaws.REGION.vpc-lattice``."""
    s3_prefix_list: str = Field(pattern=r"^pl-[0-9a-f]{8,17}$")
    """Addresses of S3 in the region, from where images are pulled: the same command with
    ``com.amazonaws.REGION.s3``."""
    egress: Literal["endpoints", "nat"] = "endpoints"
    """How the services reach AWS: through endpoints in the VPC, with no way to the internet, or through a NAT gateway,
    where DNS Firewall resolves the names of AWS alone. An outside model has a NAT gateway in either case."""
    endpoint_zones: tuple[str, ...] = ()
    """Those of ``zones`` that have the interface endpoints; empty: all. The others depend on these."""
    model_endpoint_zones: tuple[str, ...] = ()
    """Those of ``zones`` that have the ``bedrock-runtime`` endpoint, which not every zone can; empty: as
    ``endpoint_zones``."""
    nat_zones: tuple[str, ...] = ()
    """Those of ``zones`` with a NAT gateway where there is a need of one; empty: all."""

    @property
    def public_cidrs(self) -> tuple[IPv4Network, ...]:
        """The public subnets, which hold the load balancer and nothing else: the first of the VPC."""
        subnets = self.cidr.subnets(new_prefix=SUBNET_PREFIX)
        return tuple(next(subnets) for _ in self.zones)

    @field_validator("cidr")
    @classmethod
    def _size(cls, cidr: IPv4Network) -> IPv4Network:
        if cidr.prefixlen not in VPC_PREFIX or not cidr.is_private:
            raise ValueError("must be a private network of size /16 to /19")
        return cidr

    @field_validator("zones")
    @classmethod
    def _distinct(cls, zones: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(zones)) < len(zones):
            raise ValueError("must name each zone once")
        return zones

    @field_validator("zone_ids")
    @classmethod
    def _with_lattice(cls, zone_ids: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if missing := LATTICE_MISSING.intersection(zone_ids):
            raise ValueError(f"VPC Lattice does not exist in {', '.join(sorted(missing))}; take another zone")
        if zone_ids and len(zone_ids) != len(info.data.get("zones", zone_ids)):
            raise ValueError("must have one id for each of network.zones, or be left out")
        return zone_ids

    @field_validator("endpoint_zones", "model_endpoint_zones", "nat_zones")
    @classmethod
    def _subset(cls, zones: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if not set(zones) <= set(info.data.get("zones", zones)):
            raise ValueError("must be some of network.zones")
        return zones


class Database(Table):
    """Aurora PostgreSQL, which holds accounts, conversations and messages."""

    version: str = Field(default="17.7", pattern=r"^17\.\d+$")
    """Never upgraded by AWS behind CloudFormation's back. 17.7 is the long-support release."""
    min_acu: Capacity = 0.5
    """Least capacity of an instance in Aurora capacity units (2 GiB of memory each); 0 pauses an idle database, and
    the first sign-in then waits 15 seconds and more."""
    max_acu: Annotated[Capacity, Field(ge=1)] = 8
    """Most capacity of an instance."""
    readers: int = Field(default=1, ge=0, le=15)
    """Instances beside the writer, each in another zone; one of them takes over when the writer is lost."""
    backup_days: int = Field(default=35, ge=1, le=35)
    """How far back a point-in-time restore reaches."""
    insights: bool = True
    """Database Insights in its advanced form and Enhanced Monitoring: which statements wait for what, for 15 months.
    Takes memory: AWS recommends a ``min_acu`` of 2 with it, and with less it may miss some while the database idles."""

    @field_validator("max_acu")
    @classmethod
    def _range(cls, most: float, info: ValidationInfo) -> float:
        if most < info.data.get("min_acu", 0):
            raise ValueError("must not be less than database.min_acu")
        return most


class Memory(Table):
    """The OpenSearch domain, which holds what the personas remember."""

    instance: str = Field(default="m7g.medium.search", pattern=r"^[a-z0-9]+\.[a-z0-9]+\.search$")
    """Instance type of a data node."""
    nodes: int = Field(default=3, ge=1, le=80)
    """Data nodes, equally many in each zone; a single one in one zone in dev only."""
    volume_gib: int = Field(default=50, ge=10, le=16384)
    """Disk of a node (gp3)."""
    search: Literal["sealed", "knn"] = "sealed"
    """Where a question is compared with what is remembered: in the AI core, which alone can open the sealed embeddings;
    or in the store, which then holds them readable, and an embedding can be turned back into much of its text."""
    most_per_person: int = Field(default=5_000, ge=100, le=50_000)
    """Passages that are remembered of one person. Of more the oldest go: the persona's own first."""


class Backup(Table):
    """Copies by AWS Backup, beside the database's own: in a vault of their own, one of them in another region."""

    enabled: bool = True
    """Make them each day."""
    days: int = Field(default=35, ge=1, le=3650)
    """How long a copy is kept. What a person had erased is gone from them no sooner."""
    copy_region: str | None = Field(default=None, pattern=REGION)
    """Another region, bootstrapped too, that gets each copy as well; left out: none."""
    words_key: str | None = Field(default=None, pattern=r"^mrk-[0-9a-f]{32}$")
    """The id of the key that wraps people's data keys, of which ``copy_region`` then gets a replica: without it nothing
    in that region can open the copies. The first deployment makes the key, and ``make preflight`` then says its id."""
    lock_days: int = Field(default=0, ge=0, le=3650)
    """Vault lock in compliance mode: nobody, AWS included, can delete a copy sooner, and three days after its first
    deployment nobody can take the lock away. 0: none."""

    @field_validator("lock_days")
    @classmethod
    def _kept_as_long(cls, lock: int, info: ValidationInfo) -> int:
        if lock > info.data.get("days", lock):
            raise ValueError("must not be more than backup.days")
        return lock

    @field_validator("words_key")
    @classmethod
    def _somewhere(cls, words_key: str | None, info: ValidationInfo) -> str | None:
        if words_key and not info.data.get("copy_region"):
            raise ValueError("needs copy_region, where the replica is to be")
        return words_key


class Model(Table):
    """The language model that writes the replies."""

    provider: Literal["bedrock", "openai"] = "bedrock"
    """Amazon Bedrock, inside AWS, or an OpenAI-compatible address outside. The latter reads what people say, and needs
    a NAT gateway."""
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]*$")
    """What the provider calls it: for Bedrock a model id, or the id of a geographic inference profile
    (``us.amazon.nova-lite-v1:0``)."""
    destination_regions: tuple[Annotated[str, Field(pattern=REGION)], ...] = ()
    """For an inference profile: every region it may send a request to (its page in the Bedrock guide)."""
    url: str | None = Field(
        default=None,
        pattern=r"^https://([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}(/[A-Za-z0-9._/-]*)?$",
    )
    """Address of an outside model, with its path (``https://models.example.com/v1``), on port 443; DNS Firewall lets
    this host through and no other."""
    api_key_secret: str | None = Field(
        default=None,
        pattern=r"^arn:aws:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+-\w{6}$",
    )
    """The secret that holds the key to it, as plain text: yours to make, before the first deployment."""
    api_key_kms_key: str | None = Field(default=None, pattern=r"^arn:aws:kms:[a-z0-9-]+:\d{12}:key/[0-9a-f-]+$")
    """The key of your own that the secret is encrypted with."""
    context_tokens: int = Field(default=8192, ge=1024)
    """What a prompt and its reply may take together. More remembers more of a conversation, and costs more."""
    reply_tokens: int = Field(default=1024, ge=16)
    """The longest reply."""
    timeout_seconds: Seconds = 60
    """How long a reply may take."""
    concurrency: int = Field(default=16, ge=1)
    """Replies that one task of the AI core asks for at a time."""

    @property
    def host(self) -> str | None:
        """Name of the outside model's host."""
        return self.url.split("/")[2] if self.url else None

    @field_validator("destination_regions")
    @classmethod
    def _profile(cls, regions: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if {"name", "provider"} <= info.data.keys():
            profile = info.data["provider"] == "bedrock" and re.match(PROFILE, info.data["name"])
            if bool(profile) != bool(regions):
                raise ValueError(
                    "must name the regions of model.name's inference profile, and nothing for any other model"
                )
        return regions

    @field_validator("url", "api_key_secret", "api_key_kms_key")
    @classmethod
    def _outside(cls, value: str | None, info: ValidationInfo) -> str | None:
        if "provider" in info.data and bool(value) != (info.data["provider"] == "openai"):
            raise ValueError('must be given where model.provider is "openai", and left out where it is not')
        return value

    @field_validator("reply_tokens")
    @classmethod
    def _fits(cls, reply: int, info: ValidationInfo) -> int:
        if reply * 2 > info.data.get("context_tokens", reply * 2):
            raise ValueError("must be at most half of model.context_tokens, or nothing is left for the conversation")
        return reply


class Web(Table):
    """How people reach Sanctum. Exactly one of ``hosted_zone_id`` and ``certificate_arn``."""

    domain: str = Field(pattern=r"^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$")
    """Public name of the API."""
    hosted_zone_id: str | None = Field(default=None, pattern=r"^Z[A-Z0-9]{5,31}$")
    """Route 53 zone of ``domain`` in the same account: certificate and address record are then made in it."""
    certificate_arn: str | None = Field(
        default=None, pattern=r"^arn:aws:acm:[a-z0-9-]+:\d{12}:certificate/[0-9a-f-]{36}$"
    )
    """A certificate for ``domain`` that exists; the address record is then the operator's to make."""
    firewall: bool = True
    """AWS WAF before the load balancer; must be ``true`` outside dev."""
    requests_per_minute_per_address: int = Field(default=6_000, ge=100)
    """What it lets through from one address before it answers 429. Against floods: an office or a mobile network has
    one address for everybody, signed in or not."""
    frontend_origins: tuple[Annotated[str, Field(pattern=r"^https?://[a-z0-9.-]+(:\d+)?$")], ...] = ()
    """Origins of the web pages that may call the API, without a trailing slash; plain http for localhost only."""

    @field_validator("certificate_arn")
    @classmethod
    def _one_of(cls, arn: str | None, info: ValidationInfo) -> str | None:
        if "hosted_zone_id" in info.data and bool(arn) == bool(info.data["hosted_zone_id"]):
            raise ValueError("must be given where web.hosted_zone_id is not, and left out where it is")
        return arn

    @field_validator("frontend_origins")
    @classmethod
    def _encrypted(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        if plain := [o for o in origins if o.startswith("http:") and not re.match(r"^http://localhost(:|$)", o)]:
            raise ValueError(f"must be https, not {', '.join(plain)}")
        return origins


class Limits(Table):
    """What one person, account or address may do; more is answered 429 with ``Retry-After``.

    What has an address in its name counts those who share it (an office, a mobile network) together. It bounds only
    getting in from there, never those who are signed in, nor anybody elsewhere.
    """

    max_body_bytes: int = Field(default=65_536, ge=1_024)
    """Longest request body."""
    max_message_characters: int = Field(default=4_000, ge=1)
    """Longest message."""
    sign_in_failures_per_account: int = Field(default=10, ge=1)
    """Failed sign-ins to one account from one address in ``sign_in_window_seconds``."""
    sign_in_failures_per_address: int = Field(default=100, ge=1)
    """Failed sign-ins from one address in ``sign_in_window_seconds``."""
    sign_in_window_seconds: Seconds = 900
    """How long a failed sign-in counts."""
    registrations_per_address_and_hour: int = Field(default=20, ge=1)
    """New accounts from one address in an hour, also those that fail because the e-mail has one."""
    sign_ins_per_hour: int = Field(default=60, ge=1)
    """Sign-ins and changes of the password of one person in an hour that succeed."""
    refreshes_per_hour: int = Field(default=240, ge=1)
    """Renewals of one person's sign-ins in an hour; each page or device needs one a life of an access token."""
    messages_per_minute: int = Field(default=20, ge=1)
    """Messages of one person in a minute. Each costs a reply of the model, and counts also where that fails: a retry
    with the same ``Idempotency-Key`` does not count again."""
    messages_per_day: int = Field(default=500, ge=1)
    """Messages of one person in 24 hours, which is what a person can cost."""
    conversations_per_day: int = Field(default=200, ge=1)
    """Conversations that one person begins in 24 hours."""
    exports_per_day: int = Field(default=24, ge=1)
    """Exports of everything of one person in 24 hours: each may be as long as years of talk."""
    replies_per_person: int = Field(default=4, ge=1)
    """Replies to one person that one task of the backend has written at the same time. Well below
    ``model.concurrency``, so that one person does not take all of it."""
    requests_per_second_per_person: int = Field(default=20, ge=1)
    """Requests of one person that one task of the backend serves in a second, in the long run: ten seconds' worth may
    come at once. What comes faster waits, and is refused where it would wait more than 5 seconds."""
    requests_per_second_per_address: int = Field(default=20, ge=1)
    """The same for requests from one address without a good access token: signing in, registering, guessing."""
    access_token_seconds: Annotated[int, Field(ge=60, le=3_600)] = 900
    """Life of an access token."""
    refresh_token_seconds: Seconds = 2_592_000
    """How long a sign-in lasts without being used."""
    sign_in_seconds: Seconds = 7_776_000
    """How long a sign-in lasts at the most, however often it is used."""

    @field_validator("sign_in_seconds")
    @classmethod
    def _longer_than_unused(cls, seconds: int, info: ValidationInfo) -> int:
        if seconds < info.data.get("refresh_token_seconds", 0):
            raise ValueError("must not be less than limits.refresh_token_seconds")
        return seconds


class Tasks(Table):
    """How many tasks of a service run, and how large each is."""

    least: int = Field(default=2, ge=1)
    """At any time; two or more survive the loss of a zone."""
    most: int = Field(default=6, ge=1, le=100)
    """Under load."""
    cpu: Literal[256, 512, 1024, 2048, 4096] | None = None
    """CPU units of a task, 1024 = one vCPU; left out: as in ``services/<name>/service.toml``."""
    memory_mib: int | None = None
    """Memory of a task; given together with ``cpu``, and one of the sizes that Fargate has for it."""

    @field_validator("most")
    @classmethod
    def _range(cls, most: int, info: ValidationInfo) -> int:
        if most < info.data.get("least", 0):
            raise ValueError("must not be less than least")
        return most

    @field_validator("memory_mib")
    @classmethod
    def _sold(cls, memory: int | None, info: ValidationInfo) -> int | None:
        cpu = info.data.get("cpu")
        if (cpu is None) != (memory is None):
            raise ValueError("must be given together with cpu, or left out with it")
        if cpu and memory not in FARGATE_MEMORY_MIB[cpu]:
            allowed = FARGATE_MEMORY_MIB[cpu]
            raise ValueError(f"must be {', '.join(map(str, allowed[:3]))} … {allowed[-1]} where cpu = {cpu}")
        return memory


class PublicTasks(Tasks):
    """The same for the service behind the load balancer."""

    strategy: Strategy = "rolling"
    """How a new version takes over: task by task; a tenth of the requests first and the rest ten minutes later; or all
    at once; with the latter two the old version is kept for ten minutes more. The alarms send everything back to it in
    each. A release that changes ``edge.paths`` has to be deployed rolling: docs/decisions/0013."""


class Compute(Table):
    """The services' tasks."""

    architecture: Literal["ARM64", "X86_64"] = "ARM64"
    """Processor of the tasks and their images. ARM64 costs a fifth less."""
    insights: bool = True
    """Container Insights in its enhanced form: figures of each task and container."""
    watched: bool = True
    """After each deployment ECS looks at the services' alarms for as long as these look back, 3 to 5 minutes, and takes
    it back when one goes off. Where nobody sends requests in these minutes, few of them can."""
    backend: PublicTasks = PublicTasks()
    ai_core: Tasks = Tasks()
    """Always task by task: VPC Lattice has nothing else for it."""


class Images(Table):
    """How far the services' images can be trusted."""

    signed: bool = False
    """Have Amazon ECR sign each image with AWS Signer as it is pushed, so that people can tell that it was published
    here and is unchanged (docs/security/images.md). ``make bootstrap`` makes what that takes; what was pushed before
    stays unsigned. It holds for all of the account in this region, and ECS runs an image without a signature, too."""


class Logs(Table):
    """What the services and the network write down."""

    level: Literal["debug", "info"] = "info"
    """Least severity written. No less than ``info``, at which each request is: alarms and scaling count these."""
    retention_days: Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365] = 90
    """How long it is kept."""


class Operations(Table):
    """Who is told what, and what it may cost."""

    emails: tuple[Email, ...] = Field(min_length=1, max_length=10)
    """Who gets every alarm; each has to confirm once, by a link that AWS sends."""
    monthly_budget_usd: int = Field(ge=1)
    """They are also told at 80 % of it, and when the month is going to cost more."""
    dashboard: bool = True
    """A page of graphs of all that matters, in the CloudWatch console."""
    store_alarms: bool = True
    """Alarms on what the user database and the memory run short of, or have lost; must be ``true`` outside dev. Those
    of the services, which roll a deployment back, and of keys and backups are there in either case."""
    quiet_hour: int = Field(default=7, ge=0, le=23)
    """The hour of the day, UTC, from which on fewest people are there: backups begin in it, and in the ten from it
    on AWS may update what holds data."""
    p99_seconds: Annotated[float, Field(gt=0, le=60)] = 2
    """The slowest hundredth of the requests but messages and exports, whose time is the model's or the person's; beyond
    it for three minutes an alarm goes off, and a deployment that runs is rolled back."""
