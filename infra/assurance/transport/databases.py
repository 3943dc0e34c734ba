"""What databases accept: whether they insist on TLS, and from which version on, as their parameters say.

A setting that only the engine's default makes is said to be one ("default of the engine"): it changes with versions,
and a parameter group that another hand shares can undo it.

* PostgreSQL: <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/PostgreSQL.Concepts.General.SSL.html>
* MySQL: <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/mysql-ssl-connections.html>
* SQL Server: <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/SQLServer.Ciphers.html>
* DocumentDB: <https://docs.aws.amazon.com/documentdb/latest/developerguide/cluster_parameter_groups.html>
* Redshift: <https://docs.aws.amazon.com/redshift/latest/mgmt/connecting-ssl-support.html>
"""

from collections.abc import Mapping
from typing import Final, NamedTuple, cast

from infra.assurance.model.assembly import Json
from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource
from infra.assurance.transport.served import Served
from infra.assurance.transport.tls import NONE, TLS10, TLS11, TLS12, lowest, version
from infra.assurance.transport.values import as_truth, known, number, tables, truth

CLUSTERS: Final = ("AWS::RDS::DBCluster", "AWS::DocDB::DBCluster", "AWS::Neptune::DBCluster")
INSTANCES: Final = ("AWS::RDS::DBInstance", "AWS::DocDB::DBInstance", "AWS::Neptune::DBInstance")
_CLUSTER_GROUPS: Final = tuple(f"{cluster}ParameterGroup" for cluster in CLUSTERS)
_GROUPS: Final = ("AWS::RDS::DBParameterGroup", "AWS::Neptune::DBParameterGroup")
ENGINE_DEFAULT: Final = "default of the engine"

_SWITCHES: Final[Mapping[str, tuple[str, str]]] = {
    "PostgreSQL": ("rds.force_ssl", "ssl_min_protocol_version"),
    "MySQL": ("require_secure_transport", "tls_version"),
    "MariaDB": ("require_secure_transport", "tls_version"),
}
"""By protocol: the parameter that insists on TLS, and the one that names versions."""


class _Engine(NamedTuple):
    protocol: str
    port: int


# By how an engine's name ends or begins; ports are the defaults of `Port`.
_ENGINES: Final[Mapping[str, _Engine]] = {
    "postgres": _Engine("PostgreSQL", 5432),
    "aurora-postgresql": _Engine("PostgreSQL", 5432),
    "mysql": _Engine("MySQL", 3306),
    "aurora-mysql": _Engine("MySQL", 3306),
    "aurora": _Engine("MySQL", 3306),
    "mariadb": _Engine("MariaDB", 3306),
    "sqlserver": _Engine("SQL Server", 1433),
    "custom-sqlserver": _Engine("SQL Server", 1433),
    "oracle": _Engine("Oracle Net", 1521),
    "custom-oracle": _Engine("Oracle Net", 1521),
    "db2": _Engine("Db2", 50000),
    "docdb": _Engine("MongoDB", 27017),
    "neptune": _Engine("Neptune", 8182),
}
_PROXIES: Final[Mapping[str, _Engine]] = {
    "POSTGRESQL": _Engine("PostgreSQL", 5432),
    "MYSQL": _Engine("MySQL", 3306),
    "SQLSERVER": _Engine("SQL Server", 1433),
}


def database(model: Model, resource: Resource) -> list[Served]:
    """What an RDS, DocumentDB or Neptune cluster or instance accepts; an instance of a cluster what the cluster does.

    Raises:
        Refused: its engine or a parameter that decides has no model.
    """
    instance = resource
    if resource.type in INSTANCES:
        resource = model.find(resource.value("DBClusterIdentifier"), *CLUSTERS, near=resource) or resource
    engine = _engine(resource)
    groups = _groups(model, resource) + (_groups(model, instance) if instance is not resource else [])
    parameters = _parameters(groups)
    port = number(resource.value("Port") or engine.port, resource, "Port")
    answers = [Served(port, engine.protocol, _lowest(resource, engine, parameters), (resource, *groups))]
    if truth(resource, "EnableHttpEndpoint", default=False):  # an endpoint of AWS: SQL over HTTPS
        answers.append(Served(443, "HTTPS", TLS12, (resource,)))
    return answers


def proxy(resource: Resource) -> list[Served]:
    """What an RDS proxy accepts: by its guide TLS 1.0 and later if it requires TLS, and no setting changes that.

    <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.howitworks.html>
    """
    family = known(resource.value("EngineFamily"), resource, "EngineFamily")
    if family not in _PROXIES:
        raise resource.refuse(f"is a proxy for {family}, which the proof does not know")
    engine = _PROXIES[family]
    required = truth(resource, "RequireTLS", default=False)
    return [Served(engine.port, engine.protocol, TLS10 if required else NONE, (resource,))]


def redshift(model: Model, resource: Resource) -> list[Served]:
    """What a Redshift cluster accepts: TLS 1.2 and later, if its parameters require it."""
    name = resource.value("ClusterParameterGroupName")
    group = model.find(name, "AWS::Redshift::ClusterParameterGroup", near=resource)
    groups = [group] if group else []
    values = {str(each.get("ParameterName")): each.get("ParameterValue") for each in _redshift_parameters(groups)}
    required = values.get("require_ssl")
    port = number(resource.value("Port") or 5439, resource, "Port")
    if required is None:
        return [Served(port, "Redshift", ENGINE_DEFAULT if group is None else NONE, (resource, *groups))]
    tls = TLS12 if as_truth(required, resource, "require_ssl") else NONE
    return [Served(port, "Redshift", tls, (resource, *groups))]


def _redshift_parameters(groups: list[Resource]) -> list[dict[str, Json]]:
    return [each for group in groups for each in tables(group.value("Parameters"))]


def _engine(resource: Resource) -> _Engine:
    family = {"DocDB": "docdb", "Neptune": "neptune"}.get(resource.type.split("::")[1])
    name = family or known(resource.value("Engine"), resource, "Engine")
    fitting = [start for start in _ENGINES if name.startswith(start)]
    if not fitting:
        raise resource.refuse(f"runs the engine {name}, whose protocol the proof does not know")
    return _ENGINES[max(fitting, key=len)]


def _groups(model: Model, resource: Resource) -> list[Resource]:
    """The parameter groups of the assembly that a database uses; another's, or AWS's own, count as defaults."""
    names = (resource.value("DBClusterParameterGroupName"), resource.value("DBParameterGroupName"))
    found = (model.find(name, *_CLUSTER_GROUPS, *_GROUPS, near=resource) for name in names)
    return [group for group in found if group is not None]


def _parameters(groups: list[Resource]) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for group in reversed(groups):  # the cluster's come first, and win
        given = group.value("Parameters")
        if isinstance(given, dict):
            table = cast("dict[str, Json]", given)
            parameters |= {name: known(value, group, name) for name, value in table.items()}
    return parameters


def _lowest(resource: Resource, engine: _Engine, parameters: Mapping[str, str]) -> str:
    match engine.protocol:
        case "MongoDB":
            return _documentdb(resource, parameters)
        case "Neptune":
            return _neptune(resource, parameters)
        case "SQL Server":
            return _sql_server(resource, parameters)
        case "PostgreSQL" | "MySQL" | "MariaDB":
            return _switched(resource, parameters, *_SWITCHES[engine.protocol])
        case _:
            # Oracle takes TLS by an option on a port of its own, Db2 likewise: the default port is plain.
            return NONE


def _switched(resource: Resource, parameters: Mapping[str, str], switch: str, versions: str) -> str:
    if switch not in parameters:
        return ENGINE_DEFAULT
    if not as_truth(parameters[switch], resource, switch):
        return NONE
    if not parameters.get(versions):
        return ENGINE_DEFAULT
    return lowest(version(each, resource) for each in parameters[versions].split(","))


def _documentdb(resource: Resource, parameters: Mapping[str, str]) -> str:
    setting = parameters.get("tls", "").lower()
    if setting in {"", "disabled"}:
        return NONE if setting else ENGINE_DEFAULT
    if setting in {"enabled", "fips-140-3"}:
        return TLS10 if setting == "enabled" else TLS12
    return version(setting, resource)


def _neptune(resource: Resource, parameters: Mapping[str, str]) -> str:
    """Neptune takes nothing but TLS 1.2 and later, except old engines that were told to.

    <https://docs.aws.amazon.com/neptune/latest/userguide/security-ssl.html>
    """
    enforced = parameters.get("neptune_enforce_ssl")
    return TLS12 if enforced is None or as_truth(enforced, resource, "neptune_enforce_ssl") else NONE


def _sql_server(resource: Resource, parameters: Mapping[str, str]) -> str:
    if "rds.force_ssl" not in parameters:
        return ENGINE_DEFAULT
    if not as_truth(parameters["rds.force_ssl"], resource, "rds.force_ssl"):
        return NONE
    for name, tls in (("rds.tls10", TLS10), ("rds.tls11", TLS11)):
        if parameters.get(name, "default") != "disabled":
            return tls if parameters.get(name) == "enabled" else ENGINE_DEFAULT
    return TLS12
