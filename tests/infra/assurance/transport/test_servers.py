"""What databases, search, caches, brokers, files and endpoints accept."""

from pathlib import Path
from typing import Any

import pytest

from infra.assurance.transport.hops import hops
from tests.infra.assurance.transport.reading import Json, edge, model_of, resource, spoken


def _database(parameters: Json | None, **properties: Any) -> dict[str, Json]:
    if parameters is None:
        return {"Database": resource("AWS::RDS::DBCluster", path="database", **properties)}
    group = resource("AWS::RDS::DBClusterParameterGroup", Family="any", Parameters=parameters)
    named = {"DBClusterParameterGroupName": {"Ref": "Group"}, **properties}
    return {"Group": group, "Database": resource("AWS::RDS::DBCluster", path="database", **named)}


@pytest.mark.parametrize(
    ("parameters", "tls"),
    [
        ({"rds.force_ssl": "1", "ssl_min_protocol_version": "TLSv1.2"}, "TLSv1.2"),
        ({"rds.force_ssl": 1, "ssl_min_protocol_version": "TLSv1"}, "TLSv1.0"),
        ({"rds.force_ssl": "1"}, "default of the engine"),
        ({"rds.force_ssl": "0", "ssl_min_protocol_version": "TLSv1.2"}, "none"),
        ({"rds.force_ssl": False}, "none"),
        ({"ssl_min_protocol_version": "TLSv1.3"}, "default of the engine"),
        (None, "default of the engine"),
    ],
)
def test_postgresql_admits_what_its_parameters_say(tmp_path: Path, parameters: Json | None, tls: str) -> None:
    resources = _database(parameters, Engine="aurora-postgresql")
    resources["Writer"] = resource(
        "AWS::RDS::DBInstance", path="writer", DBClusterIdentifier={"Ref": "Database"}, Engine="aurora-postgresql"
    )
    model = model_of(tmp_path, resources)
    assert spoken(model, "task", "database", "tcp 5432") == {("PostgreSQL", tls)}
    assert spoken(model, "task", "writer", "tcp 5432") == {("PostgreSQL", tls)}


@pytest.mark.parametrize(
    ("parameters", "tls"),
    [
        ({"require_secure_transport": "ON", "tls_version": "TLSv1.2,TLSv1.3"}, "TLSv1.2"),
        ({"require_secure_transport": "ON", "tls_version": "TLSv1.3, TLSv1.1"}, "TLSv1.1"),
        ({"require_secure_transport": "OFF"}, "none"),
    ],
)
def test_mysql_admits_the_lowest_version_that_it_lists(tmp_path: Path, parameters: Json, tls: str) -> None:
    model = model_of(tmp_path, _database(parameters, Engine="aurora-mysql", Port="3307"))
    assert spoken(model, "task", "database", "tcp 3307") == {("MySQL", tls)}


def test_an_engine_without_a_model_is_refused_by_name(tmp_path: Path) -> None:
    model = model_of(tmp_path, _database(None, Engine="ingres"))
    assert not hops(model, [edge("task", "database", "tcp 21064")])
    assert ["ingres" in str(refused) for refused in model.refusals] == [True]


def test_a_parameter_that_only_a_deployment_knows_is_refused(tmp_path: Path) -> None:
    parameters = {"rds.force_ssl": "{{resolve:ssm:/force}}"}
    model = model_of(tmp_path, _database(parameters, Engine="aurora-postgresql"))
    assert not hops(model, [edge("task", "database", "tcp 5432")])
    assert ["rds.force_ssl" in str(refused) for refused in model.refusals] == [True]


@pytest.mark.parametrize(
    ("kind", "properties", "ports", "expected"),
    [
        ("AWS::RDS::DBProxy", {"EngineFamily": "POSTGRESQL", "RequireTLS": True}, "tcp 5432",
         {("PostgreSQL", "TLSv1.0")}),
        ("AWS::RDS::DBProxy", {"EngineFamily": "MYSQL"}, "tcp 3306", {("MySQL", "none")}),
        ("AWS::ElastiCache::ReplicationGroup", {"TransitEncryptionEnabled": True}, "tcp 6379", {("Redis", "TLSv1.2")}),
        ("AWS::ElastiCache::ReplicationGroup", {"TransitEncryptionEnabled": True, "TransitEncryptionMode": "preferred"},
         "tcp 6379", {("Redis", "none")}),
        ("AWS::ElastiCache::CacheCluster", {"Engine": "memcached"}, "tcp 11211", {("Memcached", "none")}),
        ("AWS::MemoryDB::Cluster", {"TLSEnabled": "false"}, "tcp 6379", {("Redis", "none")}),
        ("AWS::MSK::Cluster", {}, "tcp 9092-9098", {("Kafka", "TLSv1.2")}),
        ("AWS::MSK::Cluster", {"EncryptionInfo": {"EncryptionInTransit": {"ClientBroker": "TLS_PLAINTEXT"}}},
         "tcp 9092-9098", {("Kafka", "TLSv1.2"), ("Kafka", "none")}),
        ("AWS::Redshift::Cluster", {}, "tcp 5439", {("Redshift", "default of the engine")}),
        ("AWS::EC2::VPCEndpoint", {"ServiceName": "com.amazonaws.us-east-1.kms"}, "tcp 443", {("HTTPS", "TLSv1.2")}),
        ("AWS::EC2::VPCEndpoint", {"ServiceName": "com.amazonaws.vpce.us-east-1.vpce-svc-0123"}, "tcp 443",
         {("target decides", "target decides")}),
        ("AWS::OpenSearchService::Domain", {"DomainEndpointOptions": {"EnforceHTTPS": True}}, "tcp 0-65535",
         {("HTTPS", "TLSv1.0")}),
        ("AWS::OpenSearchService::Domain",
         {"DomainEndpointOptions": {"TLSSecurityPolicy": "Policy-Min-TLS-1-2-PFS-2023-10"}}, "all",
         {("HTTPS", "TLSv1.2"), ("HTTP", "none")}),
        ("AWS::DocDB::DBCluster", {}, "tcp 27017", {("MongoDB", "default of the engine")}),
        ("AWS::Neptune::DBCluster", {}, "tcp 8182", {("Neptune", "TLSv1.2")}),
        ("AWS::AmazonMQ::Broker", {}, "tcp 5671", {("AMQP", "TLSv1.2")}),
    ],
)  # fmt: skip
def test_a_server_admits_what_its_settings_say(
    tmp_path: Path, kind: str, properties: Json, ports: str, expected: set[tuple[str, str]]
) -> None:
    model = model_of(tmp_path, {"Server": resource(kind, path="server", **properties)})
    assert spoken(model, "task", "server", ports) == expected


@pytest.mark.parametrize(("value", "tls"), [("false", "TLSv1.2"), ("true", "none")])
def test_a_file_system_is_mounted_over_tls_only_if_its_policy_refuses_the_rest(
    tmp_path: Path, value: str, tls: str
) -> None:
    denial = {
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "*",
        "Condition": {"Bool": {"aws:SecureTransport": value}},
    }
    system = resource("AWS::EFS::FileSystem", path="files", FileSystemPolicy={"Statement": [denial]})
    mount = resource("AWS::EFS::MountTarget", path="mount", FileSystemId={"Ref": "Files"})
    model = model_of(tmp_path, {"Files": system, "Mount": mount})
    assert spoken(model, "task", "mount", "tcp 2049") == {("NFS", tls)}


def test_edges_to_what_no_template_describes_are_no_hops(tmp_path: Path) -> None:
    model = model_of(tmp_path, {"Task": resource("AWS::ECS::TaskDefinition", path="task")})
    assert not hops(model, [edge("task", "internet", "tcp 443"), edge("task", "prefix list pl-1", "tcp 443")])
