"""Which is the lowest version of TLS that a security policy of AWS admits, from AWS's own tables."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from infra.assurance.model.resource import Resource

NONE: Final = "none"
"""What is sent in plain text, or may be."""
TARGET_DECIDES: Final = "target decides"
"""Only the program that answers knows; a test must measure it."""
UNKNOWN: Final = "unknown"
SSL3, TLS10, TLS11, TLS12, TLS13 = "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"
ORDER: Final = (NONE, SSL3, TLS10, TLS11, TLS12, TLS13)
"""From the weakest up."""

# The beginning of a policy's name decides, the longest first that fits.
# <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html>,
# <https://docs.aws.amazon.com/elasticloadbalancing/latest/network/describe-ssl-policies.html>,
# <https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/elb-security-policy-table.html>.
ELASTIC_LOAD_BALANCING: Final[Mapping[str, str]] = {
    "ELBSecurityPolicy-TLS13-1-3-": TLS13,
    "ELBSecurityPolicy-TLS13-1-2-": TLS12,
    "ELBSecurityPolicy-TLS13-1-1-": TLS11,
    "ELBSecurityPolicy-TLS13-1-0-": TLS10,
    "ELBSecurityPolicy-TLS-1-2-": TLS12,
    "ELBSecurityPolicy-TLS-1-1-": TLS11,
    "ELBSecurityPolicy-TLS-1-0-": TLS10,
    "ELBSecurityPolicy-FS-1-2-": TLS12,
    "ELBSecurityPolicy-FS-1-1-": TLS11,
    "ELBSecurityPolicy-FS-2018-06": TLS10,
    "ELBSecurityPolicy-2016-08": TLS10,
    "ELBSecurityPolicy-2015-": TLS10,
    "ELBSecurityPolicy-2014-10": TLS10,
    "ELBSecurityPolicy-2014-01": SSL3,
    "ELBSecurityPolicy-2011-08": SSL3,
}
ELASTIC_LOAD_BALANCING_DEFAULT: Final = "ELBSecurityPolicy-2016-08"
"""Of a listener that CloudFormation makes without a policy."""

# <https://docs.aws.amazon.com/opensearch-service/latest/developerguide/infrastructure-security.html>
OPENSEARCH: Final[Mapping[str, str]] = {
    "Policy-Min-TLS-1-0-": TLS10,
    "Policy-Min-TLS-1-2-": TLS12,
}
OPENSEARCH_DEFAULT: Final = "Policy-Min-TLS-1-0-2019-07"

# <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/secure-connections-supported-viewer-protocols-ciphers.html>
CLOUDFRONT: Final[Mapping[str, str]] = {
    "SSLv3": SSL3,
    "TLSv1.3": TLS13,
    "TLSv1.2": TLS12,
    "TLSv1.1": TLS11,
    "TLSv1": TLS10,
}

# <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies-list.html>
API_GATEWAY: Final[Mapping[str, str]] = {
    "TLS_1_0": TLS10,
    "TLS_1_2": TLS12,
    "SecurityPolicy_TLS13_1_3_": TLS13,
    "SecurityPolicy_TLS13_1_2_": TLS12,
    "SecurityPolicy_TLS13_2025_EDGE": TLS13,
    "SecurityPolicy_TLS12_": TLS12,
}

_VERSION: Final = re.compile(r"(?i)(?:tls[\s_]?v?)?1[._](\d)")


def of_policy(policy: str, table: Mapping[str, str], resource: Resource) -> str:
    """The lowest version that a policy admits.

    Raises:
        Refused: the table does not have it.
    """
    fitting = [start for start in table if policy.startswith(start)]
    if not fitting:
        raise resource.refuse(f"has the security policy {policy}, whose lowest version of TLS the proof does not know")
    return table[max(fitting, key=len)]


def version(text: str, resource: Resource) -> str:
    """A version as a setting writes it (`TLSv1.2`, `TLSv1`, `tls1.2+`), in the form of the facts.

    Raises:
        Refused: it is none.
    """
    plain = text.strip().lower().removesuffix("+")
    if plain in {"tlsv1", "tls1"}:
        return TLS10
    if plain == "sslv3":
        return SSL3
    found = _VERSION.search(plain)
    if found is None or f"TLSv1.{found.group(1)}" not in ORDER:
        raise resource.refuse(f"names {text!r} as a version of TLS, which the proof does not know")
    return f"TLSv1.{found.group(1)}"


def lowest(versions: Iterable[str]) -> str:
    """The weakest of several."""
    return min(versions, key=ORDER.index)
