"""``python -m backend.rotate_keys``: adds a token signing key and drops those whose tokens have all expired.

Makes the first key where there is none. Running processes need no restart: see ``backend.auth.signing_keys``.
"""

import json
import time

from chassis import logs
from chassis.secret_store import read_secret, write_secret
from chassis.settings import read_settings

from backend.auth.signing_keys import parse, rotated
from backend.settings import KeySettings


def main() -> None:
    """Run the task to its end."""
    settings = read_settings(KeySettings)
    logs.configure("info")
    keys = rotated(parse(read_secret(settings.signing_keys)), settings.access_token_seconds, time.time())
    write_secret(settings.signing_keys, json.dumps({"keys": keys}))
    logs.log("signing_keys.rotated", keys=len(keys))


if __name__ == "__main__":
    main()
