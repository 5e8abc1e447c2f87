"""The store that stands in for Redis in these tests keeps the contract that Redis keeps."""

import pytest

from tests.support.shared_breakers import StoreInMemory
from tests.support.store_contract import CLAUSES, Clause
from tests.support.virtual_time import in_virtual_time, now


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.__name__)
def test_the_store_in_memory_keeps_the_contract(clause: Clause) -> None:
    @in_virtual_time
    async def keeps() -> None:
        await clause(StoreInMemory(now))

    keeps()
