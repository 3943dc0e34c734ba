"""Whether the certificate that the settings name can be used."""

import datetime as dt
from collections.abc import Iterator

from infra.preflight.answers import Answer, bad, good
from infra.preflight.check import Inquiry

DAYS = 30
"""ACM has replaced a certificate of its own by then; one that was imported has to be replaced by hand."""


def ask(inquiry: Inquiry) -> Iterator[Answer]:
    """It exists, is issued, is for the domain and does not end soon."""
    web = inquiry.environment.web
    if web.certificate_arn is None:
        yield good("made by the deployment, in the hosted zone")
        return
    another = "`aws acm request-certificate` for it, in this region, and write the ARN into web.certificate_arn"
    answer = inquiry.aws.find(
        "ResourceNotFoundException", "acm", "describe_certificate", CertificateArn=web.certificate_arn
    )
    if answer is None:
        yield bad(f"{web.certificate_arn} does not exist", another)
        return
    found = answer["Certificate"]
    if found["Status"] != "ISSUED":
        yield bad(f"it is {found['Status']}", "make the DNS records that ACM shows for it, and wait")
    names = {found["DomainName"], *found.get("SubjectAlternativeNames", ())}
    parent = web.domain.partition(".")[2]
    if not names & {web.domain, f"*.{parent}"}:
        yield bad(f"it is for {', '.join(sorted(names))}, not for {web.domain}", another)
    end = found.get("NotAfter")
    if end and end - dt.datetime.now(dt.UTC) < dt.timedelta(days=DAYS):
        yield bad(f"it ends on {end:%Y-%m-%d}", "import its successor under the same ARN, or have ACM issue it")
    if found["Status"] == "ISSUED":
        yield good(f"issued for {', '.join(sorted(names))}" + (f", until {end:%Y-%m-%d}" if end else ""))
