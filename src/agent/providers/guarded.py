"""The ports behind a circuit breaker: while the other side is down a call fails at once, with `CircuitOpenError`."""

from typing import Any

from agent.providers.carrier import Carrier, Shipment
from agent.providers.payment import Attempt, Charge, PaymentProvider
from agent.resilience import CircuitBreaker


class GuardedPayment:
    """A payment provider behind its breaker: the same port."""

    def __init__(self, provider: PaymentProvider, breaker: CircuitBreaker) -> None:
        self.name = provider.name
        self.provider = provider
        self._breaker = breaker

    async def capture(self, attempt: Attempt) -> Charge:
        """Take the money."""
        return await self._breaker.call(self.provider.capture, attempt)

    async def find(self, attempt: Attempt) -> Charge | None:
        """What became of the attempt."""
        return await self._breaker.call(self.provider.find, attempt)

    async def void(self, attempt: Attempt) -> Charge | None:
        """Make sure that the attempt never takes money any more."""
        return await self._breaker.call(self.provider.void, attempt)

    async def credit(self, key: str, amount: int, currency: str, token: str) -> None:
        """Pay `amount` out to `token`."""
        await self._breaker.call(self.provider.credit, key, amount, currency, token)

    async def refund(self, key: str, provider_id: str, amount: int) -> None:
        """Give `amount` of a capture back."""
        await self._breaker.call(self.provider.refund, key, provider_id, amount)


class GuardedCarrier:
    """A carrier behind its breaker: the same port."""

    def __init__(self, carrier: Carrier, breaker: CircuitBreaker) -> None:
        self.name = carrier.name
        self._carrier = carrier
        self._breaker = breaker

    async def book(self, parcel_id: str, ship_to: dict[str, Any]) -> Shipment:
        """Have a parcel taken away, or say how far it is."""
        return await self._breaker.call(self._carrier.book, parcel_id, ship_to)

    async def stop(self, parcel_id: str) -> Shipment:
        """Keep a parcel from leaving."""
        return await self._breaker.call(self._carrier.stop, parcel_id)
