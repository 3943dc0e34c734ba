"""Statements that are built once and run by asyncpg itself."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from chassis.direct import Built, Direct
from sqlalchemy import Integer, bindparam, column, delete, func, insert, literal, select, table

from tests.backend.process import Backend

_ADDRESSES = table("sign_in_failures", column("account"), column("address"))
_HERE = _ADDRESSES.c.address == "a test of chassis.direct"
_ADD = Built(insert(_ADDRESSES).values(account=func.decode("00", "hex"), address="a test of chassis.direct"))
_COUNT = Built(select(func.count()).select_from(_ADDRESSES).where(_HERE))
_REMOVE = Built(delete(_ADDRESSES).where(_HERE))
_SUM = Built(select((bindparam("a", type_=Integer()) + bindparam("b", type_=Integer()) + literal(1)).label("sum")))


@asynccontextmanager
async def _one_connection(backend: Backend, **settings: object) -> AsyncGenerator[Direct]:
    direct = Direct(backend.read_settings(**settings), size=1)
    await direct.open()
    try:
        yield direct
    finally:
        await direct.close()


async def _add_and_fail(direct: Direct) -> None:
    async with direct.begin() as connection:
        await connection.rows(_ADD)
        raise ZeroDivisionError


def test_values_are_given_by_name_and_columns_read_by_name(backend: Backend) -> None:
    async def run() -> None:
        async with _one_connection(backend) as direct:
            (row,) = await direct.rows(_SUM, b=2, a=40)
            assert row.sum == row["sum"] == 43
            assert not hasattr(row, "other")
            with pytest.raises(KeyError):
                await direct.rows(_SUM, a=1)

    asyncio.run(run())


def test_a_transaction_that_fails_leaves_nothing_behind(backend: Backend) -> None:
    async def run() -> None:
        async with _one_connection(backend) as direct:
            with pytest.raises(ZeroDivisionError):
                await _add_and_fail(direct)
            assert (await direct.rows(_COUNT))[0][0] == 0
            async with direct.begin() as connection:
                await connection.rows(_ADD)
            assert (await direct.rows(_COUNT))[0][0] == 1
            await direct.rows(_REMOVE)

    asyncio.run(run())


def test_a_statement_waits_for_a_free_connection_but_not_for_ever(backend: Backend) -> None:
    async def run() -> None:
        async with _one_connection(backend, database_connect_seconds=0.2) as direct:
            async with direct.begin():
                with pytest.raises(TimeoutError):
                    await direct.rows(_SUM, a=1, b=1)
                waiting = asyncio.create_task(direct.rows(_SUM, a=1, b=1))
                await asyncio.sleep(0)
                assert not waiting.done()
            assert (await waiting)[0].sum == 3

    asyncio.run(run())
