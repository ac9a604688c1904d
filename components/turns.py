"""So many at once: registrations that take turns, in the order in which they were asked for."""

import asyncio

import pulumi


class Turns:
    """At most `at_once` turns are under way. Make it, and ask for turns, inside the program's event loop."""

    def __init__(self, at_once: int) -> None:
        self._free = asyncio.Semaphore(at_once)

    def next(self) -> "Turn":
        """The next turn; the first `at_once` of them come at once."""
        return Turn(self._free)


class Turn:
    """One turn: it comes when there is room, and ends with an output."""

    come: "asyncio.Future[bool]"
    """Done when the turn has come."""

    def __init__(self, free: asyncio.Semaphore) -> None:
        self._free = free
        self._over = False
        self.come = asyncio.ensure_future(self._come())

    def ends_with(self, output: pulumi.Output[str]) -> None:
        """Make room once the output is resolved, be it unknown or failed: nobody waits for what will not come."""
        asyncio.ensure_future(output.future()).add_done_callback(self._end)

    async def _come(self) -> bool:
        await self._free.acquire()
        if self._over:
            self._free.release()
        return True

    def _end(self, resolved: "asyncio.Future[str | None]") -> None:
        if not resolved.cancelled():
            resolved.exception()  # the engine reports a failure; here it only counts that it is over
        self._over = True
        if self.come.done() and not self.come.cancelled():
            self._free.release()
