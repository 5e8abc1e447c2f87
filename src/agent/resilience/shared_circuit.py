"""A breaker's states in step with other workers: it moves by itself at once, tells the store, and follows it.

The store says who may probe and when it is closed again. While the store is away the circuit is an ordinary one.
When and how the store is asked is in `sharing`.
"""

from collections import deque
from collections.abc import Callable, Sequence

from agent.resilience.circuit import BreakerListener, Circuit, Lease
from agent.resilience.config import BreakerConfig
from agent.resilience.failures import NEUTRAL, Failure, FailureKind, Verdict
from agent.resilience.sharing import Sharing
from agent.resilience.stores import BreakerState, Claim, SharedView, StoreUnavailableError


class SharedCircuit(Circuit):
    """A circuit that other workers see, and that sees theirs."""

    def __init__(
        self,
        name: str,
        config: BreakerConfig,
        *,
        listeners: Sequence[BreakerListener],
        clock: Callable[[], float],
        rand: Callable[[], float],
        sharing: Sharing,
    ) -> None:
        super().__init__(name, config, listeners=listeners, clock=clock, rand=rand)
        self._sharing = sharing
        self._epoch = 0  # the store's, when we last followed it
        self._untold = False  # a move of ours that the store has yet to hear of
        self._ended = deque[tuple[str, bool]](maxlen=config.permitted_calls_in_half_open)  # leases to give back: good?
        self.passing = False  # so that the first call joins

    async def admit(self) -> Lease | None:
        """Leave for a call that is not `passing`: a probe's lease, agreed with the store, or None for an ordinary call.

        Raises:
            CircuitOpenError: the call is refused.
        """
        self.join()
        self.passing = self.state == "closed"
        if self.passing:
            return None
        lease = self._lease()
        await self._agree(lease)
        if lease in self._leases:
            return lease
        if self.passing:
            return None
        raise self._refusal()

    def join(self) -> None:
        """Keep in step with other workers from now on."""
        self._sharing.join(self)

    def leave(self) -> None:
        """Give back the leases of probes that are under way: this worker stops, and cuts them."""
        for lease in tuple(self._leases):
            self._give_back(lease)

    def probed(self, now: float, verdict: Verdict | None, lease: Lease) -> None:
        """Half-open: a bad probe opens at once; of a good one the store is told, and says whether that closes it."""
        if isinstance(verdict, Failure) or not self._sharing.reachable:
            super().probed(now, verdict, lease)
        if not isinstance(verdict, Failure):
            self._give_back(lease, good=verdict is not NEUTRAL)

    def open(self, now: float, failure: Failure) -> None:
        """Open here at once, and then everywhere."""
        super().open(now, failure)
        self._tell()

    def force_open(self) -> None:
        """Refuse every call, of all workers, until `reset`."""
        super().force_open()
        self._tell()

    def reset(self) -> None:
        """Close, for all workers, whatever the state."""
        super().reset()
        self._tell()

    async def report(self) -> None:
        """Tell the store of our last move, and give back the leases of probes that ended.

        Raises:
            StoreUnavailableError: it has yet to hear some of it.
        """
        if self._untold:
            generation = self.generation
            view = await self._say_state()
            if generation == self.generation:
                self._untold = False
            self.adopt(view)
        while self._ended:
            lease, good = self._ended.popleft()
            store, threshold = self._sharing.store, self.config.success_threshold
            try:
                view = await self._sharing.ask(store.settle, self.name, lease, good, threshold)
            except BaseException:  # also when who asks is cancelled
                self._ended.appendleft((lease, good))
                raise
            self.adopt(view)

    def adopt(self, view: SharedView) -> None:
        """Follow the store, unless it is behind: we have yet to tell it something, or the view is an old one."""
        if self._untold:
            return
        if view.epoch == 0:
            if self.state != "closed":
                self._tell()  # the store lost its memory, and we did not
            return
        due_here = self.state == "half_open" and view.state == "open" and view.seconds_left <= 0
        if view.epoch < self._epoch or (view.epoch == self._epoch and (view.state == self.state or due_here)):
            return
        self._epoch = view.epoch
        self.openings = view.openings
        self._move(view.state, self.clock(), view.why, view.seconds_left if view.state == "open" else None)

    async def _agree(self, lease: Lease) -> None:
        """Keep the lease if the store grants it, or was away before and still is: one late answer proves nothing."""
        was_away = not self._sharing.reachable
        claim = Claim(
            lease.id,
            self.config.probe_lease_seconds,
            self.config.permitted_calls_in_half_open,
            self.why,
            self.openings,
        )
        try:
            granted, view = await self._sharing.ask(self._sharing.store.acquire, self.name, claim)
        except StoreUnavailableError:
            if not was_away:  # it may have been granted without our hearing of it
                self._give_back(lease)
            return
        except BaseException:
            self._give_back(lease)
            raise
        self._leases.discard(lease)
        self.adopt(view)
        if not granted:
            return
        if (view.epoch, view.state) == (self._epoch, self.state):
            self._leases.add(lease)
        else:  # something moved it meanwhile
            self._give_back(lease)

    def _give_back(self, lease: Lease, good: bool = False) -> None:
        self._leases.discard(lease)
        self._ended.append((lease.id, good))
        self._sharing.wake()

    async def _say_state(self) -> SharedView:
        ask, store = self._sharing.ask, self._sharing.store
        match self.state:
            case "closed":
                return await ask(store.reset, self.name)
            case "forced_open":
                return await ask(store.force_open, self.name)
            case "open" | "half_open":
                left = self.seconds_left() or 0.0
                return await ask(store.open, self.name, self._epoch, self.why, left, self.openings)

    def _move(
        self, after: BreakerState, now: float, kind: FailureKind | None = None, wait: float | None = None
    ) -> None:
        super()._move(after, now, kind, wait)
        self._untold = self._untold and after == "half_open"  # if our own probes close it, that is for us alone

    def _tell(self) -> None:
        self._untold = True
        self.join()
        self._sharing.wake()
