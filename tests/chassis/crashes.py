"""Everything that Python reports by itself, of errors that quote a word: ``python -m tests.chassis.crashes WORD``.

With ``configured`` after the word the logs are set up as in a service.
"""

import asyncio
import faulthandler
import gc
import logging
import sys
import threading
import warnings

from chassis import logs


class _Fails:
    def __init__(self, word: str) -> None:
        self.word = word

    def fail(self, *_: object) -> str:
        """Raise an error that quotes the word."""
        raise ValueError(self.word)

    __repr__ = __str__ = fail

    def __del__(self) -> None:
        self.fail()


async def _tasks(fails: _Fails) -> None:
    async def fail() -> None:
        fails.fail()

    loop = asyncio.get_running_loop()
    loop.set_debug(True)  # says more, the words of a coroutine's frame among it
    forgotten = asyncio.create_task(fail(), name=fails.word)
    loop.call_soon(fails.fail)
    await asyncio.sleep(0)
    del forgotten
    gc.collect()
    await asyncio.sleep(0)


def main(word: str, *options: str) -> None:
    """Fail in each way there is; the last ends the process."""
    if options:
        logs.configure("info")
    fails = _Fails(word)
    asyncio.run(_tasks(fails))
    thread = threading.Thread(target=fails.fail, name=word)
    thread.start()
    thread.join()
    warnings.warn(word, stacklevel=1)
    logging.getLogger("library").warning("%s of %s", word, fails)  # a line that cannot be written
    faulthandler.dump_traceback()
    del fails
    gc.collect()
    raise RuntimeError(word)


if __name__ == "__main__":
    main(*sys.argv[1:])
