"""What the process demands of its environment, and what it believes of its callers."""

import subprocess
import sys
from uuid import uuid4

import pytest
from backend.settings import Settings
from chassis.settings import read_settings

from tests.backend.process import Backend
from tests.support.person import Person


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("AI_CORE_CLIENT_CERT_FILE", None),
        ("AI_CORE_URL", "http://insecure.example"),
        ("AI_CORE_AUTH", "none"),
        ("SIGNING_KEYS", None),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(
    deployed: Backend, variable: str, value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, right in deployed.environment().items():
        monkeypatch.setenv(name, right)
    if value is None:
        monkeypatch.delenv(variable)
    else:
        monkeypatch.setenv(variable, value)
    with pytest.raises(SystemExit, match=rf"^This process cannot start\. [^\n]*{variable}[^\n]*$"):
        read_settings(Settings)


def test_a_wrong_environment_ends_the_process_with_one_sentence(deployed: Backend) -> None:
    environment = deployed.environment() | {"ACCESS_TOKEN_SECONDS": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "backend"], env=environment, capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode == 1
    assert done.stderr.startswith("This process cannot start. ACCESS_TOKEN_SECONDS")
    assert done.stderr.count("\n") == 1


def test_without_a_signing_key_the_log_says_why_it_does_not_start(deployed: Backend) -> None:
    environment = deployed.environment() | {"SIGNING_KEYS": f"/nowhere/{uuid4()}"}
    done = subprocess.run(
        [sys.executable, "-m", "backend"], env=environment, capture_output=True, text=True, check=False, timeout=30
    )
    assert done.returncode != 0
    assert "NoSigningKeys" in done.stdout


def test_forwarded_addresses_of_strangers_are_not_believed(alice: Person, backend: Backend) -> None:
    alice.http.headers["X-Forwarded-For"] = "198.51.100.9"
    alice.sign_in("wrong password")
    tried = "SELECT address FROM sign_in_failures WHERE account = sha256(:'email')"
    assert backend.sql(tried, email=alice.email) == "127.0.0.1"


@pytest.mark.parametrize("own_backend", [{"settings.trusted_proxies": "127.0.0.0/8"}], indirect=True)
def test_forwarded_addresses_of_the_load_balancer_are_believed(carol: Person, own_backend: Backend) -> None:
    # What a client sends comes first; the load balancer adds whom it has seen.
    carol.http.headers["X-Forwarded-For"] = "203.0.113.1, 198.51.100.9"
    carol.sign_in("wrong password")
    assert own_backend.sql("SELECT address FROM sign_in_failures") == "198.51.100.9"
