"""More defects: what is sent or kept less safely, and what runs with more than it needs."""

from collections.abc import Mapping
from typing import Any, Final

from tests.infra.assurance.seeded.defect import Application, Change, Defect, Said
from tests.infra.assurance.seeded.defects import FOREIGN
from tests.infra.assurance.seeded.templates import Templates

CACHE = "AWS::ElastiCache::ReplicationGroup"


def plain_cache(templates: Templates) -> Said:
    """The cache speaks in plain text."""
    cache = templates.one(CACHE)
    templates.properties(cache)["TransitEncryptionEnabled"] = False
    templates.properties(cache).pop("TransitEncryptionMode")
    return "hop", cache.name, "none"


def cache_takes_both(templates: Templates) -> Said:
    """The cache takes plain text, too."""
    cache = templates.one(CACHE)
    templates.properties(cache)["TransitEncryptionMode"] = "preferred"
    return "hop", cache.name, "none"


def second_listener(templates: Templates) -> Said:
    """A second listener, for plain HTTP, and the door is open for it."""
    door = templates.load_balancer
    group = templates.group(door)
    templates.admit(group, CidrIpv6="::/0", FromPort=80, ToPort=80)
    target = {"Ref": templates.one("AWS::ElasticLoadBalancingV2::TargetGroup").logical_id}
    templates.add(
        door,
        "Added",
        "AWS::ElasticLoadBalancingV2::Listener",
        LoadBalancerArn={"Ref": door.logical_id},
        Port="80",
        Protocol="HTTP",
        DefaultActions=[{"Type": "forward", "TargetGroupArn": target}],
    )
    return "internet", "hop", door.name, "HTTP", "none"


def plain_mesh(templates: Templates) -> Said:
    """VPC Lattice takes plain HTTP."""
    listener = templates.one("AWS::VpcLattice::Listener")
    templates.properties(listener)["Protocol"] = "HTTP"
    service = templates.found(listener.value("ServiceIdentifier"), "AWS::VpcLattice::Service")
    return "hop", service.name, "HTTP", "none"


def plain_mesh_target(templates: Templates) -> Said:
    """VPC Lattice talks to the service in plain text."""
    group = templates.one("AWS::VpcLattice::TargetGroup")
    templates.properties(group)["Config"]["Protocol"] = "HTTP"
    return "hop", "HTTP", "none"


def old_search_tls(templates: Templates) -> Said:
    """The search domain admits TLS 1.0."""
    domain = templates.one("AWS::OpenSearchService::Domain")
    templates.properties(domain)["DomainEndpointOptions"]["TLSSecurityPolicy"] = "Policy-Min-TLS-1-0-2019-07"
    return "hop", domain.name, "TLSv1.0"


def distribution(templates: Templates) -> Said:
    """A distribution takes plain HTTP."""
    behaviour: dict[str, Any] = {
        "TargetOriginId": "door",
        "ViewerProtocolPolicy": "allow-all",
        "ForwardedValues": {"QueryString": False},
    }
    origin: dict[str, Any] = {
        "Id": "door",
        "DomainName": {"Fn::GetAtt": [templates.load_balancer.logical_id, "DNSName"]},
        "CustomOriginConfig": {"OriginProtocolPolicy": "http-only"},
    }
    config = {"Enabled": True, "DefaultCacheBehavior": behaviour, "Origins": [origin]}
    name = templates.add(templates.load_balancer, "Added", "AWS::CloudFront::Distribution", DistributionConfig=config)
    return name, "none"


def table(templates: Templates) -> Said:
    """A new store, with nobody's key in particular."""
    schema = [{"AttributeName": "id", "KeyType": "HASH"}]
    name = templates.add(templates.secret, "Added", "AWS::DynamoDB::Table", KeySchema=schema)
    return name, "at rest", "AWS-owned"


def plain_file_system(templates: Templates) -> Said:
    """A file system that is not encrypted."""
    name = templates.add(templates.secret, "Added", "AWS::EFS::FileSystem", Encrypted=False)
    return name, "at rest", "none"


def plain_topic(templates: Templates) -> Said:
    """Messages are kept in plain text."""
    name = templates.add(templates.secret, "Added", "AWS::SNS::Topic", TopicName="added")
    return name, "at rest", "none"


def plain_queue(templates: Templates) -> Said:
    """Likewise in a queue."""
    name = templates.add(templates.secret, "Added", "AWS::SQS::Queue", SqsManagedSseEnabled="false")
    return name, "at rest", "none"


def volume(templates: Templates) -> Said:
    """A disk in plain text."""
    properties: dict[str, Any] = {"AvailabilityZone": "us-east-1a", "Size": 8, "Encrypted": "false"}
    name = templates.add(templates.secret, "Added", "AWS::EC2::Volume", **properties)
    return name, "at rest", "none"


def foreign_key(templates: Templates) -> Said:
    """Logs are sealed with another account's key."""
    group = templates.one("AWS::Logs::LogGroup")
    templates.properties(group)["KmsKeyId"] = f"arn:aws:kms:us-east-1:{FOREIGN}:key/added"
    return group.name, "at rest", f"{FOREIGN}:key/added"


def shared_vault(templates: Templates) -> Said:
    """Another account may copy from a vault of backups."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{FOREIGN}:root"},
        "Action": "backup:CopyFromBackupVault",
        "Resource": "*",
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    vault: dict[str, Any] = {"BackupVaultName": "added", "AccessPolicy": policy}
    name = templates.add(templates.secret, "Added", "AWS::Backup::BackupVault", **vault)
    return (name,)


def secret_of_a_function(templates: Templates) -> Said:
    """A token in a function's environment."""
    function = templates.one("AWS::Lambda::Function")
    variables = templates.properties(function).setdefault("Environment", {}).setdefault("Variables", {})
    variables["GITHUB"] = "ghp_" + "a1B2c3D4e5F6g7H8i9J0" * 2
    return function.name, "secret in plain sight", "GITHUB"


def secret_of_a_build(templates: Templates) -> Said:
    """A password in a build's environment."""
    project = templates.one("AWS::CodeBuild::Project")
    variables = templates.properties(project)["Environment"].setdefault("EnvironmentVariables", [])
    variables.append({"Name": "REGISTRY_PASSWORD", "Type": "PLAINTEXT", "Value": "correct-Horse-7-battery"})
    return project.name, "secret in plain sight", "REGISTRY_PASSWORD"


def password_of_the_database(templates: Templates) -> Said:
    """The database's password stands in the template."""
    database = templates.database
    templates.properties(database)["MasterUserPassword"] = "correct-Horse-7-battery"
    templates.properties(database).pop("ManageMasterUserPassword", None)
    return database.name, "secret in plain sight", "MasterUserPassword"


def password_in_user_data(templates: Templates) -> Said:
    """A password in what an instance runs first."""
    script = {
        "Fn::Base64": {"Fn::Sub": "#!/bin/sh\nexport URL=postgres://keeper:correct-Horse-7@${AWS::Region}/orders\n"}
    }
    name = templates.add(templates.secret, "Added", "AWS::EC2::LaunchTemplate", LaunchTemplateData={"UserData": script})
    return name, "secret in plain sight"


def privileged_container(templates: Templates) -> Said:
    """A container with its host's rights."""
    templates.containers(templates.task)["Privileged"] = "true"
    return templates.task.name, "privileged"


def more_capabilities(templates: Templates) -> Said:
    """A container with a right of root's."""
    capabilities = templates.containers(templates.task)["LinuxParameters"].setdefault("Capabilities", {})
    capabilities["Add"] = ["SYS_PTRACE"]
    return templates.task.name, "SYS_PTRACE"


def no_user(templates: Templates) -> Said:
    """A container runs as whoever its image says."""
    templates.containers(templates.task).pop("User")
    return templates.task.name, "user"


def shell(templates: Templates) -> Said:
    """Operators may open a shell in a container."""
    templates.properties(templates.service)["EnableExecuteCommand"] = True
    return templates.service.name, "exec"


def no_backups(templates: Templates) -> Said:
    """No backups are kept."""
    templates.properties(templates.database)["BackupRetentionPeriod"] = 0
    return templates.database.name, "backup"


def thrown_away(templates: Templates) -> Said:
    """The database goes with its stack."""
    templates.body(templates.database)["DeletionPolicy"] = "Delete"
    return templates.database.name, "Delete"


def no_rotation(templates: Templates) -> Said:
    """A key stays the same."""
    key = templates.one("AWS::KMS::Key")
    templates.properties(key)["EnableKeyRotation"] = False
    return key.name, "rotated", "no"


def public_bucket(templates: Templates) -> Said:
    """A bucket may be made public."""
    bucket = templates.one("AWS::S3::Bucket")
    templates.properties(bucket)["PublicAccessBlockConfiguration"]["BlockPublicPolicy"] = False
    return bucket.name, "public"


def public_subnet(templates: Templates) -> Said:
    """What starts in a subnet gets a public address."""
    subnet = templates.one("AWS::EC2::Subnet")
    templates.properties(subnet)["MapPublicIpOnLaunch"] = True
    return subnet.name, "public"


def no_flow_log(templates: Templates) -> Said:
    """Nobody writes down who talked to whom."""
    log = templates.one("AWS::EC2::FlowLog")
    vpc = templates.found(log.value("ResourceId"), "AWS::EC2::VPC")
    templates.remove(log)
    return vpc.name, "flow log"


def metadata_for_all(templates: Templates) -> Said:
    """An instance hands its role's credentials to whoever makes it ask."""
    group = templates.group(templates.service)
    subnet = templates.named(templates.service, "AWS::EC2::Subnet")
    properties: dict[str, Any] = {"ImageId": "ami-0123456789abcdef0", "SubnetId": {"Ref": subnet.logical_id}}
    groups = [{"Ref": group.logical_id}]
    name = templates.add(group, "Added", "AWS::EC2::Instance", **properties, SecurityGroupIds=groups)
    return name, "metadata"


def copies_elsewhere(templates: Templates) -> Said:
    """A bucket copies what it gets into another account's."""
    bucket = templates.one("AWS::S3::Bucket")
    rule = {"Status": "Enabled", "Destination": {"Bucket": "arn:aws:s3:::elsewhere", "Account": FOREIGN}}
    templates.properties(bucket)["ReplicationConfiguration"] = {"Role": templates.task_role.arn, "Rules": [rule]}
    return bucket.name, "names account", FOREIGN


def images_elsewhere(templates: Templates) -> Said:
    """Images are copied into another account."""
    destination = {"Region": "us-east-1", "RegistryId": FOREIGN}
    rules = {"Rules": [{"Destinations": [destination]}]}
    type_ = "AWS::ECR::ReplicationConfiguration"
    return templates.add(templates.secret, "Added", type_, ReplicationConfiguration=rules), "names account", FOREIGN


def program_from_elsewhere(templates: Templates) -> Said:
    """A function runs a program of another account's."""
    function = templates.one("AWS::Lambda::Function")
    templates.properties(function)["Layers"] = [f"arn:aws:lambda:us-east-1:{FOREIGN}:layer:added:1"]
    return function.name, "names account", FOREIGN


def logs_elsewhere(templates: Templates) -> Said:
    """Logs go to another account."""
    group = templates.one("AWS::Logs::LogGroup")
    properties = {"LogGroupName": {"Ref": group.logical_id}, "FilterPattern": ""}
    destination = f"arn:aws:logs:us-east-1:{FOREIGN}:destination:added"
    type_ = "AWS::Logs::SubscriptionFilter"
    return templates.add(group, "Added", type_, **properties, DestinationArn=destination), "names account", FOREIGN


def endpoint_for_everything(templates: Templates) -> Said:
    """An endpoint lets through what goes to other accounts."""
    endpoint = templates.one("AWS::EC2::VPCEndpoint")
    statement = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    templates.properties(endpoint)["PolicyDocument"] = {"Version": "2012-10-17", "Statement": [statement]}
    return endpoint.name, "lets through", "* on *"


_OURS: Final = (Application.OURS,)
_BOOKSHOP: Final = (Application.BOOKSHOP,)
_IN_THE_BOOKSHOP: Final[Mapping[str, Change]] = {
    "cache in plain text": plain_cache,
    "cache takes plain text, too": cache_takes_both,
    "public subnet": public_subnet,
}
_IN_OURS: Final[Mapping[str, Change]] = {
    "mesh in plain text": plain_mesh,
    "mesh's last hop in plain text": plain_mesh_target,
    "TLS 1.0 of the search domain": old_search_tls,
    "endpoint lets everything through": endpoint_for_everything,
}
_IN_BOTH: Final[Mapping[str, Change]] = {
    "second listener, by IPv6": second_listener,
    "distribution in plain text": distribution,
    "new table": table,
    "new file system in plain text": plain_file_system,
    "new topic in plain text": plain_topic,
    "new queue in plain text": plain_queue,
    "new disk in plain text": volume,
    "log group with a foreign key": foreign_key,
    "vault shared with a foreign account": shared_vault,
    "token in a function's environment": secret_of_a_function,
    "password in a build's environment": secret_of_a_build,
    "password of the database": password_of_the_database,
    "password in user data": password_in_user_data,
    "privileged container": privileged_container,
    "more capabilities": more_capabilities,
    "no user": no_user,
    "shell in a container": shell,
    "no backups": no_backups,
    "database goes with its stack": thrown_away,
    "no rotation of a key": no_rotation,
    "bucket that may become public": public_bucket,
    "no flow log": no_flow_log,
    "instance metadata for all": metadata_for_all,
    "bucket copied into a foreign account": copies_elsewhere,
    "images copied into a foreign account": images_elsewhere,
    "layer of a foreign account": program_from_elsewhere,
    "logs sent to a foreign account": logs_elsewhere,
}

QUALITIES: Final[Mapping[str, Defect]] = {
    **{name: Defect(name, change) for name, change in _IN_BOTH.items()},
    **{name: Defect(name, change, _OURS) for name, change in _IN_OURS.items()},
    **{name: Defect(name, change, _BOOKSHOP) for name, change in _IN_THE_BOOKSHOP.items()},
}
