"""``python -m backend.end_sign_ins``: ends the sign-ins of a person, or of everybody, for an operator who has to.

Their access tokens end with them at once. On AWS it is run with the backend's task definition and another command.
"""

import argparse
import asyncio
from uuid import UUID

from chassis import logs
from chassis.engine import connect
from chassis.settings import DatabaseSettings, read_settings
from sqlalchemy import delete, true

from backend.schema import sign_ins


async def end_sign_ins(settings: DatabaseSettings, user_id: UUID | None) -> int:
    """How many were ended: those of a person, or with ``None`` all there are."""
    engine = connect(settings, pool_size=1)
    try:
        async with engine.begin() as connection:
            whose = true() if user_id is None else sign_ins.c.user_id == user_id
            return (await connection.execute(delete(sign_ins).where(whose))).rowcount
    finally:
        await engine.dispose()


def main() -> None:
    """Run the command to its end."""
    parser = argparse.ArgumentParser(prog="python -m backend.end_sign_ins", description="Ends sign-ins.")
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("--of", type=UUID, metavar="USER_ID", help="of this person")
    whose.add_argument("--everybody", action="store_true", help="all there are")
    chosen = parser.parse_args()
    settings = read_settings(DatabaseSettings)
    logs.configure("info")
    ended = asyncio.run(end_sign_ins(settings, chosen.of))
    logs.log("sign_ins.ended", user_id=chosen.of, number=ended)


if __name__ == "__main__":
    main()
