"""The commands say what holds and what does not, and end with 0, 1 or 2 accordingly; nothing fails without a word."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import infra.assurance
from infra.assurance.__main__ import main
from infra.assurance.facts import Fact
from infra.assurance.model.model import Model
from infra.assurance.refusal import Refusals
from infra.assurance.rules import Finding
from tests.infra.assurance.assembly import write

CLIENT, SERVER = "AWS::EC2::NetworkInterface Client", "AWS::EC2::NetworkInterface Server"
SENTENCE = "Only the client reaches the server."
CLAIMS = f"""
[[claim]]
sentence = "{SENTENCE}"
owner = "security"
relation = "reaches"
about = {{ to = "{SERVER}" }}
allowed = [{{ from = "{CLIENT}", ports = "tcp 443" }}]
"""
OTHERS = """
[[claim]]
sentence = "How they speak is not what this is about."
owner = "security"
relation = "hop"
about = {}
allowed = [{ from = "**", to = "**", protocol = "**", tls = "**" }]
measured_by = "claims.toml::test_hops"
# def test_hops(): it has to exist
[[claim]]
sentence = "Nor are the qualities of the network."
owner = "security"
relation = "posture"
about = { resource = "**" }
allowed = [{ quality = "**", value = "**" }]
"""


def rule(side: str, peer: str, **changed: Any) -> dict[str, Any]:
    peer_key = {"ingress": "SourceSecurityGroupId", "egress": "DestinationSecurityGroupId"}[side]
    return {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, peer_key: {"Ref": peer}, **changed}


def group(**rules: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    nowhere = {"IpProtocol": "icmp", "FromPort": 252, "ToPort": 86, "CidrIp": "255.255.255.255/32"}
    written = {"ingress": [], "egress": [nowhere], **rules}
    return {
        "Type": "AWS::EC2::SecurityGroup",
        "Properties": {
            "GroupDescription": "of a test",
            "VpcId": {"Ref": "Vpc"},
            **{f"SecurityGroup{side.capitalize()}": list(listed) for side, listed in written.items()},
        },
    }


def interface(worn: str) -> dict[str, Any]:
    properties = {"SubnetId": {"Ref": "Subnet"}, "GroupSet": [{"Ref": worn}]}
    return {"Type": "AWS::EC2::NetworkInterface", "Properties": properties}


@dataclass(frozen=True)
class Application:
    """Two interfaces, of which one reaches the other, and claims that say so."""

    folder: Path
    claims: Path
    resources: dict[str, Any]

    def changed(self, conditions: Mapping[str, Any] | None = None, **resources: Any) -> "Application":
        parameters = {"Mode": {"Type": "String", "Default": "usual"}}
        template = {
            "Parameters": parameters,
            "Conditions": conditions or {},
            "Resources": {**self.resources, **resources},
        }
        write(self.folder, {"Shop": template})
        return self


@pytest.fixture
def application(tmp_path: Path) -> Application:
    (tmp_path / "claims.toml").write_text(CLAIMS + OTHERS)
    resources = {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        "Subnet": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.1.0/24"}},
        "Clients": group(egress=[rule("egress", "Servers")]),
        "Servers": group(ingress=[rule("ingress", "Clients")]),
        "Client": interface("Clients"),
        "Server": interface("Servers"),
    }
    return Application(tmp_path / "out", tmp_path / "claims.toml", resources).changed()


def run(application: Application, command: str, *options: str) -> int:
    claims = () if command == "graph" else ("--claims", str(application.claims))
    guard = () if command == "graph" else ("--no-guard",)
    return main([command, str(application.folder), *claims, *guard, *options])


def test_check_ends_with_0_when_every_claim_holds(application: Application, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(application, "check") == 0
    assert f"computed  {SENTENCE}" in capsys.readouterr().out


def test_a_broken_claim_ends_with_1_and_says_all_that_is_needed(
    application: Application, capsys: pytest.CaptureFixture[str]
) -> None:
    application.changed(Intruder=interface("Clients"))
    assert run(application, "check") == 1
    intruder = "AWS::EC2::NetworkInterface Intruder"
    printed = capsys.readouterr().out
    for line in (
        f"BROKEN    {SENTENCE}",
        "owner: security",
        f"not allowed: {intruder} reaches {SERVER} · tcp 443",
        f"from {intruder} (out/Shop.template.json)",
        "from AWS::EC2::SecurityGroup Clients (out/Shop.template.json)",
        "1. egress of AWS::EC2::SecurityGroup Clients",
        "2. ingress of AWS::EC2::SecurityGroup Servers",
    ):
        assert line in printed


def test_a_fact_that_is_gone_ends_with_1(application: Application, capsys: pytest.CaptureFixture[str]) -> None:
    application.changed(Servers=group())
    assert run(application, "check") == 1
    assert f"missing: {CLIENT} reaches {SERVER} · tcp 443" in capsys.readouterr().out


def test_what_no_claim_speaks_about_ends_with_1(application: Application, capsys: pytest.CaptureFixture[str]) -> None:
    application.claims.write_text(CLAIMS)
    assert run(application, "check") == 1
    assert "BROKEN    Every fact is spoken about by a claim (hop)." in capsys.readouterr().out


def test_what_has_no_model_ends_with_2_and_the_rest_is_judged(
    application: Application, capsys: pytest.CaptureFixture[str]
) -> None:
    peering = {"Type": "AWS::EC2::VPCPeeringConnection", "Properties": {"VpcId": {"Ref": "Vpc"}, "PeerVpcId": "vpc-1"}}
    application.changed(Peering=peering, Intruder=interface("Clients"))
    assert run(application, "check") == 2
    printed = capsys.readouterr().out
    assert "REFUSED   AWS::EC2::VPCPeeringConnection Peering: " in printed
    assert f"BROKEN    {SENTENCE}" in printed


def test_an_edge_that_a_condition_brings_is_an_edge(
    application: Application, capsys: pytest.CaptureFixture[str]
) -> None:
    worn = {"Fn::If": ["Maintained", {"Ref": "Servers"}, {"Ref": "Clients"}]}
    maintained = {"Fn::Equals": [{"Ref": "Mode"}, "maintained"]}
    application.changed(
        {"Maintained": maintained},
        Job=interface("x") | {"Properties": {"SubnetId": {"Ref": "Subnet"}, "GroupSet": [worn]}},
    )
    assert run(application, "check") == 1
    assert f"not allowed: AWS::EC2::NetworkInterface Job reaches {SERVER} · tcp 443" in capsys.readouterr().out


def test_a_second_opinion_that_differs_is_refused(
    application: Application, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def differing(_: Model, reaches: Sequence[Fact]) -> list[str]:
        return [f"the solver does not find that {reaches[0]}"]

    monkeypatch.setattr("infra.assurance.second_opinion.solver.disagreements", differing)
    assert run(application, "check") == 2
    assert f"REFUSED   second opinion: the solver does not find that {CLIENT} reaches" in capsys.readouterr().out


def test_an_error_of_the_proof_is_refused_and_the_other_parts_go_on(
    application: Application, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_: Model) -> list[Fact]:
        raise LookupError("no such thing")

    monkeypatch.setattr("infra.assurance.transport.rest.at_rest", failing)
    assert run(application, "check") == 2
    printed = capsys.readouterr().out
    assert "REFUSED   encryption at rest: is not understood: LookupError: no such thing, in failing" in printed
    assert f"computed  {SENTENCE}" in printed


@pytest.mark.parametrize("command", ["check", "report", "graph"])
def test_a_folder_that_is_no_assembly_is_refused(
    command: str, application: Application, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    nothing = Application(tmp_path, application.claims, {})
    assert run(nothing, command) == 2
    assert "is no cloud assembly" in "".join(capsys.readouterr())


@pytest.mark.parametrize("content", ["{", "[]", '{"artifacts": {"a": {}}}', '{"artifacts": 1}'])
def test_a_manifest_that_is_none_is_refused(
    content: str, application: Application, capsys: pytest.CaptureFixture[str]
) -> None:
    (application.folder / "manifest.json").write_text(content)
    assert run(application, "check") == 2
    assert "REFUSED" in capsys.readouterr().out


def test_wrong_claims_end_with_2(application: Application, capsys: pytest.CaptureFixture[str]) -> None:
    application.claims.write_text(CLAIMS.replace("reaches", "touches"))
    assert run(application, "check") == 2
    assert "relation: touches is none; there are reaches, opens" in capsys.readouterr().out


def test_claims_of_other_stages_are_refused(application: Application, capsys: pytest.CaptureFixture[str]) -> None:
    application.claims.write_text('[environments]\ndev = "dev"\n')
    assert run(application, "check") == 2
    assert "speaks of the stages dev, and the assembly has none of them" in capsys.readouterr().out


def test_an_environment_that_is_not_there_is_named(
    application: Application, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    template: dict[str, Any] = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    write(tmp_path / "staged", {"Shop": template}, stage="dev")
    application.claims.write_text('[environments]\ndev = "dev"\nprod = "prod"\n')
    assert run(Application(tmp_path / "staged", application.claims, {}), "check") in {1, 2}
    printed = capsys.readouterr().out
    assert "ABSENT    prod: is not in the assembly" in printed
    assert "ABSENT    dev" not in printed
    run(Application(tmp_path / "staged", application.claims, {}), "report")
    assert "nothing that claims say of it was asked for: prod." in capsys.readouterr().out


def test_json_says_the_same(application: Application, capsys: pytest.CaptureFixture[str]) -> None:
    application.changed(Intruder=interface("Clients"))
    assert run(application, "check", "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert told["code"] == 1
    assert [verdict["state"] for verdict in told["verdicts"]] == ["broken", "measured", "computed"]
    (extra,) = told["verdicts"][0]["extra"]
    assert (extra["relation"], extra["from"], extra["to"], extra["ports"]) == (
        "reaches", "AWS::EC2::NetworkInterface Intruder", SERVER, "tcp 443",
    )  # fmt: skip
    assert extra["path"]
    assert {"resource": SERVER, "template": "out/Shop.template.json"} in extra["evidence"]
    assert [fact for fact in told["facts"] if fact["relation"] == "reaches" and fact["from"] == CLIENT]
    assert told["refused"] == []


def found(_: Path, __: Refusals) -> list[Finding]:
    return [Finding("Known::Rule", "AWS::EC2::VPC Vpc", "has no flow logs", "out/Shop.template.json")]


def nothing_found(_: Path, __: Refusals) -> list[Finding]:
    return []


@pytest.mark.parametrize("command", ["check", "report"])
def test_findings_of_known_rules_end_with_1_unless_they_are_left_out(
    command: str, application: Application, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.assurance.rules.findings", found)
    options = [command, str(application.folder), "--claims", str(application.claims)]
    assert main(options) == 1
    printed = capsys.readouterr().out
    assert "Known::Rule" in printed
    assert "has no flow logs" in printed
    assert main([*options, "--no-guard"]) == 0
    assert "Known::Rule" not in capsys.readouterr().out


def test_the_report_says_what_is_accepted_why_by_whom_and_until_when(
    application: Application, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    register = tmp_path / "acknowledgements.toml"
    register.write_text(
        '[[row]]\nrules = ["A::1", "A::2"]\nresources = ["Vpc"]\nreason = "It is empty, and stays so."\n'
        'owner = "security"\nexpires = 2030-01-31\n'
    )
    monkeypatch.setattr("infra.assurance.rules.accepted.REGISTER", register)
    monkeypatch.setattr("infra.assurance.rules.findings", nothing_found)
    options = ["report", str(application.folder), "--claims", str(application.claims)]
    assert main(options) == 0
    row = "| A::1, A::2 | Vpc | It is empty, and stays so. | security | 2030-01-31 |"
    assert row in capsys.readouterr().out
    register.write_text("[[row]]\nrules = 1\n")
    assert main(options) == 2
    assert "acknowledgements.toml" in capsys.readouterr().out


def test_the_graph_draws_every_edge(application: Application, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(application, "graph") == 0
    drawn = capsys.readouterr().out
    assert drawn.startswith("flowchart")
    assert CLIENT in drawn
    assert '|"tcp 443"|' in drawn


def test_the_graph_names_what_it_does_not_model(application: Application, capsys: pytest.CaptureFixture[str]) -> None:
    application.changed(Cluster={"Type": "Custom::Network::MODULE", "Properties": {"SubnetIds": [{"Ref": "Subnet"}]}})
    assert run(application, "graph") == 2
    printed = capsys.readouterr()
    assert CLIENT in printed.out
    assert "REFUSED   Custom::Network::MODULE Cluster" in printed.err


def test_the_report_has_each_claim_with_its_facts_and_is_the_same_again(
    application: Application, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(application, "report") == 0
    page = capsys.readouterr().out
    assert f"### {SENTENCE}\n\nComputed. Owner: security.\n\n| from | to | ports |\n| --- | --- | --- |\n" in page
    assert f"| {SENTENCE} | security | computed |" in page
    assert "```mermaid\nflowchart" in page
    assert f"| {CLIENT} | {SERVER} | tcp 443 |" in page
    assert "Measured by `claims.toml::test_hops`. Owner: security." in page
    run(application, "report")
    assert capsys.readouterr().out == page


def test_the_report_shows_what_is_broken(application: Application, capsys: pytest.CaptureFixture[str]) -> None:
    application.changed(Intruder=interface("Clients"))
    assert run(application, "report") == 1
    page = capsys.readouterr().out
    assert page.index("## Broken") < page.index(f"### {SENTENCE}")
    assert f"| AWS::EC2::NetworkInterface Intruder reaches {SERVER} · tcp 443 |" in page


def test_guard_compares_two_assemblies(application: Application, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(application.folder)
    assert main(["guard", folder, folder]) == 0
    kept = application.folder.parent / "kept"
    shutil.copytree(application.folder, kept)
    key: dict[str, Any] = {
        "Type": "AWS::KMS::Key",
        "Properties": {"KeyPolicy": {"Version": "2012-10-17", "Statement": []}},
    }
    application.changed(Key=key)
    assert main(["guard", folder, str(kept)]) == 1
    assert "AWS::KMS::Key Key" in capsys.readouterr().out


@pytest.fixture
def lifted(tmp_path: Path) -> Path:
    """The proof by itself, in a repository of others."""
    package = Path(infra.assurance.__file__).parent
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(package, tmp_path / "elsewhere" / "infra" / "assurance", ignore=ignored)
    return tmp_path / "elsewhere"


def test_elsewhere_it_needs_nothing_of_this_repository_but_claims(lifted: Path, application: Application) -> None:
    def run_there(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-P", "-m", "infra.assurance", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(lifted), "PYTHONSAFEPATH": "1"}
        return subprocess.run(
            command, cwd=lifted, env=environment, capture_output=True, text=True, check=False, timeout=60
        )

    drawn = run_there("graph", str(application.folder))
    assert (drawn.returncode, drawn.stderr) == (0, "")
    assert CLIENT in drawn.stdout
    judged = run_there("check", "--no-guard", "--claims", str(application.claims), str(application.folder))
    assert judged.returncode == 0, judged.stdout
    unclaimed = run_there("check", "--no-guard", str(application.folder))
    assert unclaimed.returncode == 2
    assert "claims.toml: there are no claims: write them, or name another file with --claims" in unclaimed.stdout
