"""The rules that AWS keeps for its firewall, as far as Sanctum uses them.

By name, because what a rule does can only be changed by its name: those that read bodies are told from those that read
the head of a request, and each answers in the shape of the API's own errors. A rule that AWS adds later does what AWS
lets it do until it is named here (AWS WAF guide, "AWS Managed Rules rule groups list" and "changelog").
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class ManagedGroup:
    """One rule group of the vendor ``AWS``.

    ``capacity`` is in web ACL capacity units (WCU). Rules that only count when they come from AWS are left out.
    """

    name: str
    namespace: str
    capacity: int
    heads: Sequence[str]
    """Rules that read an address, a path, a query or a header."""
    bodies: Sequence[str] = ()
    """Rules that read a body, or how long it is."""

    def body_labels(self) -> Iterator[str]:
        """What these put on a request that they match."""
        for rule in self.bodies:
            yield f"awswaf:managed:aws:{self.namespace}:{rule.removesuffix('_BODY')}_Body"


MANAGED_GROUPS = (
    ManagedGroup(
        name="AWSManagedRulesAmazonIpReputationList",
        namespace="amazon-ip-list",
        capacity=25,
        heads=("AWSManagedIPReputationList", "AWSManagedReconnaissanceList"),
    ),
    ManagedGroup(
        name="AWSManagedRulesCommonRuleSet",
        namespace="core-rule-set",
        capacity=700,
        heads=(
            "NoUserAgent_HEADER",
            "UserAgent_BadBots_HEADER",
            "SizeRestrictions_QUERYSTRING",
            "SizeRestrictions_Cookie_HEADER",
            "SizeRestrictions_URIPATH",
            "EC2MetaDataSSRF_COOKIE",
            "EC2MetaDataSSRF_URIPATH",
            "EC2MetaDataSSRF_QUERYARGUMENTS",
            "GenericLFI_QUERYARGUMENTS",
            "GenericLFI_URIPATH",
            "RestrictedExtensions_URIPATH",
            "RestrictedExtensions_QUERYARGUMENTS",
            "GenericRFI_QUERYARGUMENTS",
            "GenericRFI_URIPATH",
            "CrossSiteScripting_COOKIE",
            "CrossSiteScripting_QUERYARGUMENTS",
            "CrossSiteScripting_URIPATH",
        ),
        bodies=(
            "SizeRestrictions_BODY",
            "EC2MetaDataSSRF_BODY",
            "GenericLFI_BODY",
            "GenericRFI_BODY",
            "CrossSiteScripting_BODY",
        ),
    ),
    ManagedGroup(
        name="AWSManagedRulesKnownBadInputsRuleSet",
        namespace="known-bad-inputs",
        capacity=200,
        heads=(
            "JavaDeserializationRCE_HEADER",
            "JavaDeserializationRCE_URIPATH",
            "JavaDeserializationRCE_QUERYSTRING",
            "Host_localhost_HEADER",
            "PROPFIND_METHOD",
            "ExploitablePaths_URIPATH",
            "Log4JRCE_HEADER",
            "Log4JRCE_QUERYSTRING",
            "Log4JRCE_URIPATH",
        ),
        bodies=("JavaDeserializationRCE_BODY", "Log4JRCE_BODY", "ReactJSRCE_BODY"),
    ),
    ManagedGroup(
        name="AWSManagedRulesSQLiRuleSet",
        namespace="sql-database",
        capacity=200,
        heads=(
            "SQLi_QUERYARGUMENTS",
            "SQLiExtendedPatterns_QUERYARGUMENTS",
            "SQLiExtendedPatterns_HEADER",
            "SQLiExtendedPatterns_URIPATH",
            "SQLi_COOKIE",
            "SQLi_URIPATH",
        ),
        bodies=("SQLi_BODY", "SQLiExtendedPatterns_BODY"),
    ),
)
