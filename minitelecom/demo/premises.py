"""The demo as one program: the daemon, and the carrier beside it."""

from collections.abc import Sequence

from minitelecom.lifetime import Running


class Premises:
    """Several programs that live together: started in order, stopped in the other."""

    def __init__(self, parts: Sequence[Running]) -> None:
        self._parts = parts
        self._begun: list[Running] = []

    async def start(self) -> None:
        """See Running."""
        for part in self._parts:
            self._begun.append(part)
            await part.start()

    async def stop(self) -> None:
        """See Running."""
        for part in reversed(self._begun):
            await part.stop()
