"""What an operator decides, read from ``environments/<name>.toml``.

Every key is documented in ``infra/setting_tables.py``; what the file leaves out has the default given there. All that
is wrong in a file is reported in one go. Imports no CDK: ``local`` reads it too.
"""

import json
import re
import tomllib
from pathlib import Path
from typing import TypeVar, cast, get_args

from pydantic import BaseModel, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import ErrorDetails

from infra.setting_tables import (
    Account,
    Backup,
    Compute,
    Database,
    Images,
    Limits,
    Logs,
    Memory,
    Model,
    Network,
    Operations,
    Table,
    Web,
)

ROOT = Path(__file__).resolve().parent.parent / "environments"
PIPELINE = "pipeline"
"""The file beside the environments that ``infra.delivery`` reads."""


AnyTable = TypeVar("AnyTable", bound=BaseModel)


class InvalidSettings(ValueError):
    """A settings file says something that cannot be; names the file, each key, its value and what is allowed."""


class Environment(Table):
    """Everything an operator decides about one environment."""

    name: str = Field(pattern=r"^[a-z][a-z0-9]{1,11}$")
    """The file's own name, and the first word of the environment's stack names."""
    protected: bool = True
    """Nothing that holds people's data can be deleted by a deployment or a click; ``false`` in dev only."""
    account: Account
    network: Network
    database: Database = Database()
    memory: Memory = Memory()
    backup: Backup = Backup()
    model: Model
    web: Web
    operations: Operations
    limits: Limits = Limits()
    compute: Compute = Compute()
    images: Images = Images()
    logs: Logs = Logs()

    @property
    def has_nat(self) -> bool:
        """Whether there is a way to the internet, in one direction and to named hosts."""
        return self.network.egress == "nat" or self.model.provider != "bedrock"

    @field_validator("protected")
    @classmethod
    def _outside_dev(cls, protected: bool, info: ValidationInfo) -> bool:  # noqa: FBT001  # pydantic's signature
        if not protected and info.data.get("name", "dev") != "dev":
            raise ValueError("must be true outside dev")
        return protected

    @field_validator("network")
    @classmethod
    def _in_region(cls, network: Network, info: ValidationInfo) -> Network:
        if account := cast("Account | None", info.data.get("account")):
            foreign = [z for z in network.zones if not re.fullmatch(account.region + "[a-z]", z)]
            if foreign:
                raise ValueError(f"zones must be in {account.region}, not {', '.join(foreign)}")
        return network

    @field_validator("memory")
    @classmethod
    def _balanced(cls, memory: Memory, info: ValidationInfo) -> Memory:
        network = cast("Network | None", info.data.get("network"))
        if memory.nodes == 1:
            if info.data.get("protected", False):
                raise ValueError("nodes = 1 would be lost with its zone: for environments that are not protected")
        elif network and memory.nodes % len(network.zones):
            raise ValueError(
                f"nodes = {memory.nodes} must be a multiple of the {len(network.zones)} zones in network.zones"
            )
        return memory

    @field_validator("backup")
    @classmethod
    def _elsewhere(cls, backup: Backup, info: ValidationInfo) -> Backup:
        account = cast("Account | None", info.data.get("account"))
        if account and backup.copy_region == account.region:
            raise ValueError(f"copy_region = {backup.copy_region} must be another region than account.region")
        if not backup.enabled and (info.data.get("protected", False) or backup.copy_region or backup.lock_days):
            raise ValueError("enabled = false is for environments that are not protected, without copies and lock")
        return backup

    @field_validator("model")
    @classmethod
    def _key_here(cls, model: Model, info: ValidationInfo) -> Model:
        account = cast("Account | None", info.data.get("account"))
        for key in ("api_key_secret", "api_key_kms_key"):
            arn = getattr(model, key)
            if account and arn and arn.split(":")[3:5] != [account.region, account.id]:
                raise ValueError(f"{key} = {arn} must be in account {account.id} and region {account.region}")
        return model

    @field_validator("web")
    @classmethod
    def _firewall(cls, web: Web, info: ValidationInfo) -> Web:
        if not web.firewall and info.data.get("protected", False):
            raise ValueError("firewall = false is for environments that are not protected")
        return web

    @field_validator("web")
    @classmethod
    def _certificate_here(cls, web: Web, info: ValidationInfo) -> Web:
        account = cast("Account | None", info.data.get("account"))
        if account and web.certificate_arn and web.certificate_arn.split(":")[3:5] != [account.region, account.id]:
            raise ValueError(
                f"certificate_arn = {web.certificate_arn} must be in account {account.id} and region {account.region}"
            )
        return web

    @field_validator("operations")
    @classmethod
    def _watched(cls, operations: Operations, info: ValidationInfo) -> Operations:
        if not operations.store_alarms and info.data.get("protected", False):
            raise ValueError("store_alarms = false is for environments that are not protected")
        return operations

    def resource_name(self, *parts: str) -> str:
        """The name of what has to have a fixed one: ``sanctum-<environment>-<part>…``."""
        return "-".join(("sanctum", self.name, *parts)).replace("_", "-")

    def service_values(self) -> dict[str, str]:
        """What the sources of a ``service.toml`` are worth that the operator decides, ``settings.*`` and some of
        ``memory.*``; several things are separated by commas.

        ``settings.trusted_proxies`` is where the load balancer is; on one machine there is none, and its value there
        is the empty string.
        """
        values = self.limits.model_dump() | {
            "log_level": self.logs.level,
            "frontend_origins": ",".join(self.web.frontend_origins),
            "trusted_proxies": ",".join(map(str, self.network.public_cidrs)),
        }
        memory = {"search": self.memory.search, "most_per_person": self.memory.most_per_person}
        return {f"settings.{key}": str(value) for key, value in values.items()} | {
            f"memory.{key}": str(value) for key, value in memory.items()
        }


def _allowed(model: type[BaseModel], location: tuple[int | str, ...]) -> str:
    """The keys of the table in which the key at ``location`` is unknown; an index is a table of a list."""
    table = model
    for key in location[:-1]:
        if isinstance(key, str):
            field = table.model_fields[key].annotation
            table = cast("type[BaseModel]", next(iter(get_args(field)), field))
    return f"unknown; known here are {', '.join(table.model_fields)}"


def _line(model: type[BaseModel], error: ErrorDetails) -> str:
    location, kind = error["loc"], error["type"]
    if kind == "missing":
        return f"  {'.'.join(map(str, location))}: missing"
    unknown = kind == "extra_forbidden"
    message = _allowed(model, location) if unknown else str(error["msg"]).removeprefix("Value error, ")
    value = error["input"]
    shown = "" if isinstance(value, dict | BaseModel) else f" = {json.dumps(value)}"
    return f"  {'.'.join(map(str, location))}{shown}: {message}"


def read_file(path: Path, model: type[AnyTable]) -> AnyTable:
    """The settings in ``path``, which has to be there.

    Raises:
        InvalidSettings: it is not TOML, or something in it is unknown, missing or impossible.
    """
    try:
        data = tomllib.loads(path.read_text())
        # As JSON, because strict JSON has lists for tuples and text for networks, but no text for numbers.
        return model.model_validate_json(json.dumps(data, default=str))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidSettings(f"{path}: {error}") from error
    except ValidationError as error:
        lines = [_line(model, detail) for detail in error.errors()]
        raise InvalidSettings("\n".join([f"{path}:", *lines])) from error


def read_environment(name: str, root: Path = ROOT) -> Environment:
    """The settings of the environment ``name``.

    Raises:
        InvalidSettings: as ``read_file``; or there is no such file.
    """
    path = root / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in root.glob("*.toml") if p.stem != PIPELINE))
        raise InvalidSettings(f"{path} does not exist; the environments are {known or '(none)'}")
    environment = read_file(path, Environment)
    if environment.name != name:
        raise InvalidSettings(f"{path}:\n  name = {json.dumps(environment.name)}: must be {json.dumps(name)}")
    return environment


def read_environments(root: Path = ROOT) -> list[Environment]:
    """The settings of every environment there is, in the order of their names.

    Raises:
        InvalidSettings: as ``read_environment``, for everything wrong in all files.
    """
    found: list[Environment] = []
    wrong: list[str] = []
    for path in sorted(root.glob("*.toml")):
        if path.stem != PIPELINE:
            try:
                found.append(read_environment(path.stem, root))
            except InvalidSettings as error:
                wrong.append(str(error))
    if wrong:
        raise InvalidSettings("\n".join(wrong))
    return found
