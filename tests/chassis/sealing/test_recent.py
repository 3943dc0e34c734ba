"""What is remembered of keys is bounded in number and in time."""

from chassis.sealing.recent import MOST, SECONDS, Recent


def test_more_than_the_most_are_never_known() -> None:
    recent = Recent[int, bytes](most=3)
    for number in range(10):
        recent.put(number, b"key")
    assert [number for number in range(10) if recent.get(number)] == [7, 8, 9]


def test_nothing_is_known_longer_than_its_time() -> None:
    now = 0.0
    recent = Recent[str, bytes](seconds=300, clock=lambda: now)
    recent.put("alice", b"key")
    now = 299
    assert recent.get("alice") == b"key"
    now = 300
    assert recent.get("alice") is None


def test_what_is_to_be_forgotten_is_forgotten() -> None:
    recent = Recent[str, bytes]()
    recent.put("alice", b"key")
    recent.forget("alice")
    recent.forget("mallory")
    assert recent.get("alice") is None


def test_keys_are_known_for_five_minutes_at_the_most() -> None:
    assert SECONDS <= 300
    assert MOST <= 10_000
