"""Settings files that must be accepted: every combination of choices, and any numbers that go with them.

``CHOICES`` are what the templates differ by; ``file_of`` makes the file of one choice each. Numbers, names and
addresses, which only fill in, are drawn by ``files``.
"""

import itertools
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from hypothesis import strategies as st

from infra.setting_tables import FARGATE_MEMORY_MIB, Logs

File = dict[str, Any]
Choice = Mapping[str, object]

CHOICES: Mapping[str, Sequence[object]] = {
    "zones": (3, 2),
    "egress": ("endpoints", "nat"),
    "one_zone": (False, True),
    "provider": ("bedrock", "profile", "openai"),
    "protected": (True, False),
    "trail": (True, False),
    "min_acu": (0.5, 0.0),
    "readers": (1, 0, 3),
    "database_insights": (True, False),
    "nodes": ("each", "one", "two_each"),
    "backup": ("copied", "locked", "none"),
    "web": ("zone", "certificate"),
    "firewall": (True, False),
    "origins": (1, 0, 2),
    "architecture": ("ARM64", "X86_64"),
    "insights": (True, False),
    "strategy": ("rolling", "canary", "blue_green"),
    "watched": (True, False),
    "sized": (False, True),
    "emails": (1, 3),
    "dashboard": (True, False),
    "store_alarms": (True, False),
    "cidr": ("10.40.0.0/16", "172.16.32.0/19"),
    "quiet_hour": (7, 23, 0),
    "retention_days": (90, 1, 365),
    "signed": (False, True),
}
SYNTHESIZED = 3
"""So many of ``covering`` are synthesized where nobody asks for more: each value is in one of them."""
ACCOUNT, REGION = "111122223333", "us-east-1"
ZONES = tuple(REGION + letter for letter in "abcdef")
ARN = f"{REGION}:{ACCOUNT}"


def file_of(choice: Choice) -> File:
    """A file with one of each choice; those that protection forbids are made as it wants them."""
    zones = list(ZONES[: int(str(choice["zones"]))])
    protected = bool(choice["protected"])
    one_zone = {f"{kind}_zones": zones[:1] for kind in ("endpoint", "nat")} if choice["one_zone"] else {}
    sized = {"cpu": 256, "memory_mib": 512} if choice["sized"] else {}
    return {
        "name": "prod" if protected else "dev",
        "protected": protected,
        "account": {"id": ACCOUNT, "region": REGION, "fargate_vcpus": 4000, "trail": choice["trail"]},
        "network": {
            "cidr": choice["cidr"],
            "zones": zones,
            "lattice_prefix_list": "pl-0123456789abcdef0",
            "s3_prefix_list": "pl-63a5400a",
            "egress": choice["egress"],
        }
        | one_zone,
        "database": {
            "min_acu": choice["min_acu"],
            "readers": choice["readers"],
            "insights": choice["database_insights"],
        },
        "memory": {"nodes": _nodes(str(choice["nodes"]), len(zones), protected=protected)},
        "backup": _backup(str(choice["backup"]), protected=protected),
        "model": _model(str(choice["provider"])),
        "web": _web(str(choice["web"]))
        | {
            "firewall": choice["firewall"] if not protected else True,
            "frontend_origins": [f"https://page{n}.example.com" for n in range(int(str(choice["origins"])))],
        },
        "operations": {
            "emails": [f"somebody{n}@example.com" for n in range(int(str(choice["emails"])))],
            "monthly_budget_usd": 100,
            "dashboard": choice["dashboard"],
            "store_alarms": choice["store_alarms"] if not protected else True,
            "quiet_hour": choice["quiet_hour"],
        },
        "compute": {
            "architecture": choice["architecture"],
            "insights": choice["insights"],
            "backend": {"strategy": choice["strategy"]} | sized,
            "ai_core": {"least": 1, "most": 1} | sized,
        },
        "images": {"signed": choice["signed"]},
        "logs": {"retention_days": choice["retention_days"]},
    }


def _nodes(nodes: str, zones: int, *, protected: bool) -> int:
    return {"each": zones, "one": zones if protected else 1, "two_each": 2 * zones}[nodes]


def _backup(backup: str, *, protected: bool) -> File:
    match backup:
        case "copied":
            return {"copy_region": "us-west-2"}
        case "locked":
            return {"days": 14, "lock_days": 7}
        case _:
            return {} if protected else {"enabled": False}


def _model(provider: str) -> File:
    match provider:
        case "bedrock":
            return {"name": "amazon.nova-lite-v1:0"}
        case "profile":
            return {"name": "us.amazon.nova-lite-v1:0", "destination_regions": [REGION, "us-west-2"]}
        case _:
            return {
                "provider": "openai",
                "name": "large",
                "url": "https://models.example.com/v1",
                "api_key_secret": f"arn:aws:secretsmanager:{ARN}:secret:model-AbCdEf",
                "api_key_kms_key": f"arn:aws:kms:{ARN}:key/0a1b2c3d-0000-4000-8000-000000000000",
            }


def _web(web: str) -> File:
    if web == "zone":
        return {"domain": "api.example.com", "hosted_zone_id": "Z0EXAMPLE0000"}
    certificate = f"arn:aws:acm:{ARN}:certificate/12345678-1234-1234-1234-123456789012"
    return {"domain": "api.example.com", "certificate_arn": certificate}


def values(choice: Choice) -> set[str]:
    """What ``choice`` tries."""
    return {f"{key}={value}" for key, value in choice.items()}


def pairs(choice: Choice) -> set[frozenset[str]]:
    """Every two values that ``choice`` tries together."""
    return {frozenset(pair) for pair in itertools.combinations(sorted(values(choice)), 2)}


def covering(seed: int = 0) -> Iterator[Choice]:
    """Choices by which every two values meet, and the first few of which have every value; the same for a seed."""
    chance = random.Random(seed)  # noqa: S311  # nothing secret
    names = {key: {f"{key}={value}" for value in choices} for key, choices in CHOICES.items()}
    apart = set[str]().union(*names.values())
    missing = {
        frozenset(pair)
        for these, those in itertools.combinations(names.values(), 2)
        for pair in itertools.product(these, those)
    }
    while missing:
        left = {key: [v for v in choices if f"{key}={v}" in apart] or choices for key, choices in CHOICES.items()}
        candidates = [{key: chance.choice(choices) for key, choices in left.items()} for _ in range(200)]
        best = max(candidates, key=lambda candidate: len(missing & pairs(candidate)))
        if new := missing & pairs(best):
            apart, missing = apart - values(best), missing - new
            yield best


@st.composite
def files(draw: st.DrawFn) -> File:
    """Any file that must be accepted."""
    file = file_of({key: draw(st.sampled_from(values), label=key) for key, values in CHOICES.items()})
    cidrs = ["10.0.0.0/16", "172.16.32.0/19", "192.168.128.0/17", "10.255.192.0/18"]
    file["network"]["cidr"] = draw(st.sampled_from(cidrs))
    most = draw(st.integers(2, 512)) / 2
    file["database"]["max_acu"] = most
    file["database"]["min_acu"] = min(most, draw(st.integers(0, 64)) / 2)
    file["database"]["backup_days"] = draw(st.integers(1, 35))
    file["memory"]["volume_gib"] = draw(st.integers(10, 16384))
    context = draw(st.integers(1024, 200_000))
    file["model"] |= {"context_tokens": context, "reply_tokens": draw(st.integers(16, context // 2))}
    unused = draw(st.integers(1, 10_000_000))
    file["limits"] = {
        "max_body_bytes": draw(st.integers(1024, 10_000_000)),
        "messages_per_day": draw(st.integers(1, 1_000_000)),
        "refresh_token_seconds": unused,
        "sign_in_seconds": draw(st.integers(unused, 20_000_000)),
    }
    for service in ("backend", "ai_core"):
        least = draw(st.integers(1, 100))
        cpu = draw(st.sampled_from(sorted(FARGATE_MEMORY_MIB)))
        size = {"cpu": cpu, "memory_mib": draw(st.sampled_from(list(FARGATE_MEMORY_MIB[cpu])))}
        file["compute"][service] |= {"least": least, "most": draw(st.integers(least, 100))}
        file["compute"][service] |= draw(st.sampled_from([{}, size]))
    file["logs"] = {
        key: draw(st.sampled_from(get_args(Logs.model_fields[key].annotation))) for key in ("level", "retention_days")
    }
    return file


def write(file: File, folder: Path) -> Path:
    """Write ``<name>.toml`` into ``folder``; JSON's numbers, texts and lists are TOML's too."""

    def lines(table: Mapping[str, object], path: tuple[str, ...]) -> Iterator[str]:
        if path:
            yield f"[{'.'.join(path)}]"
        yield from (f"{key} = {json.dumps(value)}" for key, value in table.items() if not isinstance(value, dict))
        for key, value in table.items():
            if isinstance(value, dict):
                yield from lines(value, (*path, key))  # pyright: ignore[reportUnknownArgumentType]  # a table of the file

    path = folder / f"{file['name']}.toml"
    path.write_text("\n".join(lines(file, ())) + "\n")
    return path
