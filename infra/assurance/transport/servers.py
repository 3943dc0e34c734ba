"""What AWS's own servers with an interface in a VPC accept: search, caches, brokers, files and endpoints."""

from collections.abc import Callable, Mapping
from typing import Final

from infra.assurance.model.model import Model
from infra.assurance.model.resource import Resource
from infra.assurance.transport import classic, databases, lattice, load_balancers
from infra.assurance.transport.policies import refuses_plain_text
from infra.assurance.transport.served import Served, decided_by_target
from infra.assurance.transport.tls import NONE, OPENSEARCH, OPENSEARCH_DEFAULT, TLS12, of_policy
from infra.assurance.transport.values import known, number, read, truth

_PREFERRED: Final = "preferred"


def _search(_model: Model, domain: Resource) -> list[Served]:
    """<https://docs.aws.amazon.com/opensearch-service/latest/developerguide/infrastructure-security.html>."""
    policy = known(
        read(domain, "DomainEndpointOptions.TLSSecurityPolicy") or OPENSEARCH_DEFAULT, domain, "TLSSecurityPolicy"
    )
    encrypted = Served(443, "HTTPS", of_policy(policy, OPENSEARCH, domain), (domain,))
    if truth(domain, "DomainEndpointOptions.EnforceHTTPS", default=False):
        return [encrypted]
    return [encrypted, Served(80, "HTTP", NONE, (domain,))]


def _endpoint(_model: Model, endpoint: Resource) -> list[Served]:
    """Services of AWS take TLS 1.2 and later; what stands behind an endpoint service of another's is for them to say.

    <https://aws.amazon.com/blogs/security/tls-1-2-required-for-aws-endpoints/>
    """
    service = str(endpoint.value("ServiceName") or "")
    own = (
        service.startswith(("com.amazonaws.", "aws.", "cn.com.amazonaws.", "aws.api.")) and ".vpce-svc-" not in service
    )
    return [Served(443, "HTTPS", TLS12, (endpoint,))] if own else [decided_by_target(endpoint)]


def _cache(_model: Model, cache: Resource) -> list[Served]:
    """<https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/in-transit-encryption.html>."""
    engine = str(cache.value("Engine") or "redis")
    port = number(cache.value("Port") or (11211 if engine == "memcached" else 6379), cache, "Port")
    encrypted = truth(cache, "TransitEncryptionEnabled", default=False)
    plain_too = cache.value("TransitEncryptionMode") == _PREFERRED
    tls = TLS12 if encrypted and not plain_too else NONE
    return [Served(port, "Memcached" if engine == "memcached" else "Redis", tls, (cache,))]


def _serverless_cache(_model: Model, cache: Resource) -> list[Served]:
    memcached = cache.value("Engine") == "memcached"
    ports, protocol = ((11211, 11212), "Memcached") if memcached else ((6379, 6380), "Redis")
    return [Served(port, protocol, TLS12, (cache,)) for port in ports]


def _memory_db(_model: Model, cluster: Resource) -> list[Served]:
    """<https://docs.aws.amazon.com/memorydb/latest/devguide/in-transit-encryption.html>."""
    tls = TLS12 if truth(cluster, "TLSEnabled", default=True) else NONE
    return [Served(number(cluster.value("Port") or 6379, cluster, "Port"), "Redis", tls, (cluster,))]


def _dax(_model: Model, cluster: Resource) -> list[Served]:
    """<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/DAXEncryptionInTransit.html>."""
    encrypted = cluster.value("ClusterEndpointEncryptionType") == "TLS"
    return [Served(9111, "DAX", TLS12, (cluster,)) if encrypted else Served(8111, "DAX", NONE, (cluster,))]


def _kafka(_model: Model, cluster: Resource) -> list[Served]:
    """Ports of <https://docs.aws.amazon.com/msk/latest/developerguide/port-info.html>; TLS alone is the default."""
    mode = known(read(cluster, "EncryptionInfo.EncryptionInTransit.ClientBroker") or "TLS", cluster, "ClientBroker")
    encrypted = [Served(port, "Kafka", TLS12, (cluster,)) for port in (9094, 9096, 9098, 9194, 9196, 9198)]
    plain = [Served(port, "Kafka", NONE, (cluster,)) for port in (9092, 9192)]
    keepers = [Served(2181, "ZooKeeper", NONE, (cluster,)), Served(2182, "ZooKeeper", TLS12, (cluster,))]
    return (encrypted if "TLS" in mode else []) + (plain if "PLAINTEXT" in mode else []) + keepers


def _serverless_kafka(_model: Model, cluster: Resource) -> list[Served]:
    return [Served(9098, "Kafka", TLS12, (cluster,))]


def _broker(_model: Model, broker: Resource) -> list[Served]:
    """Brokers take TLS only: <https://docs.aws.amazon.com/amazon-mq/latest/developer-guide/data-protection.html>."""
    ports = {443: "HTTPS", 5671: "AMQP", 8162: "HTTPS", 8883: "MQTT", 61614: "STOMP", 61617: "OpenWire", 61619: "WSS"}
    return [Served(port, protocol, TLS12, (broker,)) for port, protocol in ports.items()]


def _files(model: Model, mount: Resource) -> list[Served]:
    """A mount by NFS is encrypted if the client asks for it, or must be if the file system's policy says so.

    <https://docs.aws.amazon.com/efs/latest/ug/encryption-in-transit.html>
    """
    system = (
        model.find(mount.value("FileSystemId"), "AWS::EFS::FileSystem") if mount.type.endswith("MountTarget") else mount
    )
    if system is None:
        return [Served(2049, "NFS", NONE, (mount,))]
    arn, actions = system.arn, ("elasticfilesystem:ClientMount",)
    forced = refuses_plain_text(system.value("FileSystemPolicy"), actions, (arn,))
    return [Served(2049, "NFS", TLS12 if forced else NONE, (mount, system))]


def _balancer(model: Model, balancer: Resource) -> list[Served]:
    return load_balancers.accepted(model, balancer)


def _classic(_model: Model, balancer: Resource) -> list[Served]:
    return list(classic.accepted(balancer))


def _lattice(model: Model, service: Resource) -> list[Served]:
    return list(lattice.accepted(model, service))


def _proxy(_model: Model, proxy: Resource) -> list[Served]:
    return databases.proxy(proxy)


SERVERS: Final[Mapping[str, Callable[[Model, Resource], list[Served]]]] = {
    **dict.fromkeys((*databases.CLUSTERS, *databases.INSTANCES), databases.database),
    "AWS::AmazonMQ::Broker": _broker,
    "AWS::DAX::Cluster": _dax,
    "AWS::EC2::VPCEndpoint": _endpoint,
    "AWS::EFS::FileSystem": _files,
    "AWS::EFS::MountTarget": _files,
    "AWS::ElastiCache::CacheCluster": _cache,
    "AWS::ElastiCache::ReplicationGroup": _cache,
    "AWS::ElastiCache::ServerlessCache": _serverless_cache,
    "AWS::ElasticLoadBalancing::LoadBalancer": _classic,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _balancer,
    "AWS::Elasticsearch::Domain": _search,
    "AWS::MSK::Cluster": _kafka,
    "AWS::MSK::ServerlessCluster": _serverless_kafka,
    "AWS::MemoryDB::Cluster": _memory_db,
    "AWS::OpenSearchService::Domain": _search,
    "AWS::RDS::DBProxy": _proxy,
    "AWS::Redshift::Cluster": databases.redshift,
    "AWS::VpcLattice::Service": _lattice,
}
"""What the servers accept whose settings tell, by type; of any other, the program that runs there decides."""

PROGRAMS: Final = frozenset(
    {
        "AWS::AutoScaling::AutoScalingGroup",
        "AWS::Batch::ComputeEnvironment",
        "AWS::Batch::JobDefinition",
        "AWS::EC2::Instance",
        "AWS::EC2::LaunchTemplate",
        "AWS::EC2::NetworkInterface",
        "AWS::ECS::Service",
        "AWS::ECS::TaskDefinition",
        "AWS::ECS::TaskSet",
        "AWS::EKS::Cluster",
        "AWS::EKS::Nodegroup",
        "AWS::Lambda::Function",
    }
)
"""Run what the application brings along."""


def served(model: Model, resource: Resource) -> list[Served]:
    """What a resource accepts, whoever asks."""
    server = SERVERS.get(resource.type)
    return server(model, resource) if server else []
