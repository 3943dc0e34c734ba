"""Who may open a connection to whom, each rule written at both ends.

All groups are in one stack, so that rules between them make no circle of stacks; and in one file, so that this is
the whole answer. What a service may reach comes from its ``service.toml``.
"""

from collections.abc import Collection, Mapping

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from infra.services import Service

HTTPS = ec2.Port.tcp(443)
STORE_PORTS = {"users": ec2.Port.POSTGRES, "memory": HTTPS}
ITSELF = ec2.Peer.ipv4("127.0.0.1/32")


class SecurityGroups(Construct):
    """A group for each service, each store, the load balancer, the endpoints and VPC Lattice.

    Lattice's health checks come from the same addresses as its calls, to the same port (VPC Lattice guide, "Control
    traffic in VPC Lattice using security groups").
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        name_prefix: str,
        services: Mapping[str, Service],
        lattice_prefix_list: str,
        s3_prefix_list: str,
        to_the_internet: Collection[str] = (),
    ) -> None:
        """``to_the_internet`` names the services that may open connections to port 443 of any address."""
        super().__init__(scope, construct_id)

        def group(name: str, description: str) -> ec2.SecurityGroup:
            return ec2.SecurityGroup(
                self,
                name,
                vpc=vpc,
                security_group_name=f"{name_prefix}-{name}".replace("_", "-"),
                description=description,
                allow_all_outbound=False,
            )

        self.load_balancer = group("load_balancer", "The public load balancer")
        self.endpoints = group("endpoints", "Endpoints of AWS services in the VPC")
        self.lattice = group("lattice", "Calls into VPC Lattice")
        self.services = {name: group(name, f"Tasks of {name}") for name in services}
        self.stores = {name: group(name, f"The {name} store") for name in STORE_PORTS}

        self.load_balancer.add_ingress_rule(ec2.Peer.any_ipv4(), HTTPS, "People, over TLS")
        lattice = ec2.Peer.prefix_list(lattice_prefix_list)
        for name, service in services.items():
            own, port = self.services[name], ec2.Port.tcp(service.port)
            own.connections.allow_to(self.endpoints, HTTPS, f"{name} to services of AWS")
            own.add_egress_rule(ec2.Peer.prefix_list(s3_prefix_list), HTTPS, "Image layers")
            if name in to_the_internet:
                own.add_egress_rule(ec2.Peer.any_ipv4(), HTTPS, "Hosts that DNS Firewall lets through")
            for store in service.stores:
                own.connections.allow_to(self.stores[store], STORE_PORTS[store], f"{name} to the {store} store")
            if service.public:
                self.load_balancer.connections.allow_to(own, port, f"The load balancer to {name}")
            if service.services:
                own.add_egress_rule(lattice, HTTPS, f"{name} to {', '.join(service.services)}, through VPC Lattice")
                own.connections.allow_to(self.lattice, HTTPS, f"{name} to VPC Lattice")
            if any(name in caller.services for caller in services.values()):
                own.add_ingress_rule(lattice, port, "Callers and health checks, through VPC Lattice")
        # A group without an egress rule in it gets one that lets everything out (AWS CloudFormation guide,
        # "AWS::EC2::SecurityGroup", "Remove the default rule"), and rules between groups are resources beside it. The
        # library's own rule for this goes when another is added.
        for each in (self.load_balancer, self.endpoints, self.lattice, *self.services.values(), *self.stores.values()):
            each.add_egress_rule(ITSELF, HTTPS, "Instead of the default rule, which lets everything out")
