"""Types of resources that cost nothing while nobody uses them."""

FREE = frozenset(
    {
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        "AWS::Backup::BackupSelection",
        "AWS::Backup::BackupVault",  # what is in it is counted with the plan
        "AWS::Budgets::Budget",  # those that only tell
        "AWS::CertificateManager::Certificate",  # public ones
        "AWS::CloudTrail::Trail",  # the first copy of management events; its bucket is counted
        "AWS::CodeBuild::Project",  # by the minute
        "AWS::CodePipeline::Pipeline",  # by the minute of an action, in its version 2
        "AWS::CodeStarNotifications::NotificationRule",
        "AWS::EC2::InternetGateway",
        "AWS::EC2::NetworkAcl",
        "AWS::EC2::Route",
        "AWS::EC2::RouteTable",
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::SecurityGroupEgress",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::Subnet",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::VPC",
        "AWS::EC2::VPCGatewayAttachment",
        "AWS::ElasticLoadBalancingV2::Listener",
        "AWS::ElasticLoadBalancingV2::ListenerRule",
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        "AWS::Events::Rule",  # events of AWS itself
        "AWS::IAM::ManagedPolicy",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::KMS::Alias",
        "AWS::Lambda::Function",  # by the call
        "AWS::Lambda::Permission",
        "AWS::Logs::ResourcePolicy",
        "AWS::RDS::DBClusterParameterGroup",
        "AWS::RDS::DBParameterGroup",
        "AWS::RDS::DBSubnetGroup",
        "AWS::Route53Resolver::FirewallRuleGroup",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::Subscription",
        "AWS::SNS::Topic",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::Queue",  # by the message
        "AWS::SQS::QueuePolicy",
        "AWS::Scheduler::ScheduleGroup",
        "AWS::SecretsManager::ResourcePolicy",
        "AWS::StepFunctions::StateMachine",  # by the step
        "AWS::VpcLattice::AuthPolicy",
        "AWS::VpcLattice::Listener",
        "AWS::VpcLattice::ServiceNetwork",
        "AWS::VpcLattice::ServiceNetworkServiceAssociation",
        "AWS::VpcLattice::ServiceNetworkVpcAssociation",
        "AWS::VpcLattice::TargetGroup",
        "AWS::WAFv2::WebACLAssociation",
    }
)
CUSTOM = "Custom::"
"""How the types of custom resources begin: functions that run in a deployment."""
