"""Whether the addresses that groups let through are those of VPC Lattice and S3."""

from collections.abc import Iterator

from infra.preflight.answers import Answer, bad, good
from infra.preflight.check import Inquiry


def ask(inquiry: Inquiry) -> Iterator[Answer]:
    """The ids of AWS's own prefix lists; the templates take them from the settings."""
    network, region = inquiry.environment.network, inquiry.environment.account.region
    names = {
        f"com.amazonaws.{region}.vpc-lattice": ("lattice_prefix_list", network.lattice_prefix_list),
        f"com.amazonaws.{region}.s3": ("s3_prefix_list", network.s3_prefix_list),
    }
    answer = inquiry.aws.ask(
        "ec2", "describe_managed_prefix_lists", Filters=[{"Name": "prefix-list-name", "Values": list(names)}]
    )
    found = {known["PrefixListName"]: known["PrefixListId"] for known in answer["PrefixLists"]}
    for name, (key, value) in names.items():
        if name not in found:
            yield bad(f"{region} has no {name}", "choose another region: VPC Lattice is not in this one")
        elif found[name] != value:
            yield bad(f"network.{key} is {value}, and {name} is {found[name]}", f'write {key} = "{found[name]}"')
        else:
            yield good(f"{name} is {value}")
