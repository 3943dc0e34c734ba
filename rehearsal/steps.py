"""The steps of a deployment's life. Each returns what it saw, in a sentence, and raises ``Failure`` otherwise."""

import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial

from local.failure import Failure
from rehearsal import cdk, deployed, pipeline
from rehearsal.emulator import aws
from rehearsal.engine import running_containers
from rehearsal.in_flight import all_whole, in_flight, written
from rehearsal.people import FOLLOWERS, Using, nothing_lost, using
from rehearsal.places import LOGS, ROOT
from rehearsal.processes import end_of
from rehearsal.settings import account, pipelines_account
from rehearsal.versions import Change, Release, release
from rehearsal.world import World

BACK_SECONDS = 300
"""How long a bad image may take until all is as before."""
LEAST_REQUESTS = 3000
STOP_SECONDS = 120
"""A little more than a task may take to end: ``grace.stop_seconds`` of the services."""
_BACKEND = ("services/backend/backend/__main__.py", '"""``python -m backend``: serves')
_AI_CORE = ("services/ai_core/ai_core/__main__.py", '"""Starts the service')
_IMAGE = ("services/backend/Dockerfile", "COPY backend/rds-ca.pem /srv/rds-ca.pem")
_REPLY = ("services/backend/backend/messages/endpoints.py", "return await writing.result()")
_MIGRATE = ("services/backend/backend/migrate.py", "    settings = read_settings(MigrationSettings)")
_RIGHT = ("infra/compute/access.py", '("backend", "migrate"): (self.read_admin_secret,)')
_CLUSTER = ("infra/data/users_database.py", "cluster_identifier=identifier,")

_SHORTER = (pipeline.SHORTER.file, pipeline.SHORTER.old)

CHANGED = (_BACKEND, _AI_CORE, _IMAGE, _REPLY, _MIGRATE, _RIGHT, _CLUSTER, _SHORTER)
"""Files, and what of each the releases below change."""


class Life:
    """Of one environment, from nothing to nothing."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._first: Release
        self._now: Release
        self._used: list[Using] = []
        self._zone = ""
        self._applied: list[Change] = []

    def steps(self) -> dict[str, Callable[[], str]]:
        """In order."""
        tooling = pipelines_account()
        return {
            "synthesize": self.synthesize,
            "bootstrap": self.bootstrap,
            "deploy": self.deploy,
            "a person's life": self.smoke,
            "deploy what is deployed": self.deploy_again,
            "a new backend, while people use it": self.new_backend,
            "a new AI core, while people use it": self.new_ai_core,
            **({"the pipeline": partial(pipeline.life, tooling)} if tooling else {}),
            "an image that does not build": self.unbuilt_image,
            "a bad image, while people use it": self.bad_image,
            "a migration that fails": self.failing_migration,
            "a right that is missing": self.missing_right,
            "the database replaced": self.replaced_database,
            "a person's life after all that": self.smoke,
            "nothing is lost": self.nothing_lost,
            "a release that tells people something else": self.unlike_what_was_promised,
            "destroy": self.destroy,
        }

    def synthesize(self) -> str:
        """The checkout as it is, with a hosted zone that the operator would have made."""
        self._zone = deployed.make_zone()
        self._first = self._now = self._release("first")
        return f"{len(list(self._first.assembly.rglob('*.template.json')))} templates"

    def bootstrap(self) -> str:
        """The account's guards and CDK's own resources."""
        cdk.bootstrap(self._first.assembly, account())
        return "guards, then CDK"

    def deploy(self) -> str:
        """Everything, for the first time."""
        cdk.deploy(self._first.assembly, name="deploy")
        return f"running: {_counted()}"

    def smoke(self) -> str:
        """Somebody registers, talks, is remembered, and is erased."""
        log = LOGS / "smoke.log"
        command = [sys.executable, "-m", "tests.smoke", self._world.url, "--ca", str(self._world.ca)]
        with log.open("ab") as output:
            done = subprocess.run(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, check=False)  # noqa: S603
        if done.returncode:
            raise Failure(f"somebody's life failed:\n{end_of(log)}")
        return log.read_text().splitlines()[-1]

    def deploy_again(self) -> str:
        """The same once more changes nothing."""
        before = deployed.tasks()
        said = cdk.deploy(self._first.assembly, name="deploy-again")
        stacks = len(list((self._first.assembly / "assembly-dev").glob("*.template.json")))
        if said.count("(no changes)") != stacks or deployed.tasks() != before:
            raise Failure(f"something was deployed anew: {said}")
        return f"no changes in {stacks} stacks"

    def new_backend(self) -> str:
        """A change of the backend replaces the backend's tasks and no others."""
        return self._replace("backend", _BACKEND)

    def new_ai_core(self) -> str:
        """A change of the AI core replaces its tasks and no others."""
        return self._replace("aicore", _AI_CORE)

    def unbuilt_image(self) -> str:
        """It is not pushed, by the command with which the pipeline publishes images."""
        file, copied = _IMAGE
        bad = self._release("unbuilt-image", Change(file, copied, copied.replace("rds-ca", "no-ca", 1)))
        try:
            cdk.publish(bad.assembly, "Compute")
        except Failure as failure:
            if "no-ca.pem" in str(failure):
                return "docker build failed: it copies a file that is not there"
            raise
        raise Failure("it was published")

    def bad_image(self) -> str:
        """A backend that does not start never gets a request."""
        file, start = _BACKEND
        bad = self._release("bad-image", Change(file, start, f'raise SystemExit("a bad release")\n{start}'))
        before = deployed.tasks()
        with using(self._world) as seen:
            self._used.append(seen)
            began = time.monotonic()
            self._refused(bad, "bad-image")
            seconds = time.monotonic() - began
        if seconds > BACK_SECONDS or deployed.tasks() != before:
            raise Failure(f"it took {seconds:.0f} s, and {_counted()} run")
        return f"back after {seconds:.0f} s; {seen}; {deployed.why_failed('Compute')}"

    def failing_migration(self) -> str:
        """Stops the deployment before a service is touched."""
        file, start = _MIGRATE
        bad = self._release("failing-migration", Change(file, start, f'    raise SystemExit("it fails")\n{start}'))
        before = deployed.tasks()
        self._refused(bad, "failing-migration")
        if deployed.tasks() != before:
            raise Failure("tasks of a service were replaced")
        return deployed.why_failed("Compute")

    def missing_right(self) -> str:
        """A task that lacks a right stops the deployment, and the service says which right."""
        file, start = _BACKEND
        right, had = _RIGHT
        lacking = Change(right, had, had.replace("read_admin_secret", "read_signing_keys"))
        bad = self._release("missing-right", lacking, Change(file, start, f"# missing right\n{start}"))
        before = deployed.tasks()
        self._refused(bad, "missing-right")
        if deployed.tasks() != before:
            raise Failure("tasks of a service were replaced")
        said = deployed.logged("backend", "migrate", "AccessDenied")
        if not said:
            raise Failure("the log of the task says nothing of a right")
        return f"{deployed.why_failed('Compute')} Its log: {said}"

    def replaced_database(self) -> str:
        """The guard refuses it before CloudFormation hears of it."""
        file, name = _CLUSTER
        bad = self._release("replaced-database", Change(file, name, 'cluster_identifier=f"{identifier}-new",'))
        if code := self._guard(self._now):
            raise Failure(f"the guard refuses what is deployed ({code})")
        if self._guard(bad) != 1:
            raise Failure(f"the guard let a replaced database pass:\n{end_of(LOGS / 'guard.log')}")
        return "refused by the guard"

    def nothing_lost(self) -> str:
        """What people were told is stored."""
        requests = sum(used.told.answered for used in self._used)
        if requests < LEAST_REQUESTS:
            raise Failure(f"only {requests} requests in all")
        failed = sum(len(used.told.failures) for used in self._used)
        return f"{requests} requests in all, {failed} failed; {nothing_lost(self._world, self._used)}"

    def unlike_what_was_promised(self) -> str:
        """What starts and answers, and is wrong for people all the same, is found by a person's life."""
        file, answer = _REPLY
        other = '(await writing.result()).model_copy(update={"content": "Something else."})'
        bad = self._release("something-else", Change(file, answer, f"return {other}"))
        cdk.deploy(bad.assembly, "dev/Compute", name="something-else", only=True)
        self._now = bad
        try:
            self.smoke()
        except Failure as failure:
            (said,) = [line for line in str(failure).splitlines() if line.startswith("FAILED  ")]
            return said
        raise Failure("nobody noticed")

    def destroy(self) -> str:
        """Everything that need not be kept."""
        cdk.destroy(self._now.assembly)
        kept = ["CDKToolkit", account().stack.rsplit("-", 1)[0]]
        if sorted(deployed.left()) != sorted(kept):
            raise Failure(f"left are {deployed.left()}")
        return f"left: {', '.join(kept)}"

    def _replace(self, service: str, line: tuple[str, str]) -> str:
        file, start = line
        change = Change(file, start, f"# a new release\n{start}")
        new = self._release(f"new-{service}", change)
        before, began = deployed.tasks(), time.time()
        with using(self._world, FOLLOWERS) as seen:
            self._used.append(seen)
            cdk.deploy(new.assembly, name=f"new-{service}")
            self._now = new
            self._applied.append(change)
            after = deployed.tasks()
            seen.enough_followed.set()
            _until_replaced_ended()
        replaced = {name for name in before if not before[name] & after[name]}
        if len(replaced) != 1 or service not in replaced.pop().lower():
            raise Failure(f"replaced were {replaced}")
        streams = in_flight(began)
        all_whole(seen.followed, written())
        return f"{seen}; {streams} streams were in flight when the task was told to end, all finished"

    def _release(self, name: str, *changes: Change) -> Release:
        """What is deployed, with ``changes``."""
        return release(name, *self._applied, *changes, zone=self._zone)

    def _refused(self, bad: Release, name: str) -> None:
        try:
            cdk.deploy(bad.assembly, "dev/Compute", name=name, only=True)
        except Failure:
            deployed.expect_status("Compute", "UPDATE_ROLLBACK_COMPLETE")
            return
        raise Failure(f"{name} was deployed")

    def _guard(self, version: Release) -> int:
        command = [sys.executable, "-m", "infra.delivery.guard", "dev", str(version.assembly)]
        with (LOGS / "guard.log").open("ab") as log:
            done = subprocess.run(  # noqa: S603 - our own command line
                command, cwd=version.source, env=aws(), stdout=log, stderr=subprocess.STDOUT, check=False
            )
        return done.returncode


def _until_replaced_ended() -> None:
    """What was replaced goes on serving for a while, and then ends what it does."""
    until = time.monotonic() + STOP_SECONDS
    while running_containers() > sum(map(len, deployed.tasks().values())):
        if time.monotonic() > until:
            raise Failure(f"a replaced task does not end within {STOP_SECONDS} s")
        time.sleep(1)


def _counted() -> str:
    return ", ".join(f"{len(tasks)} of {name}" for name, tasks in sorted(deployed.tasks().items()))
