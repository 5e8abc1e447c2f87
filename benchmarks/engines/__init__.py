"""The same order on four engines: ours, a bare LangGraph graph, DBOS and Restate. `python -m benchmarks.engines`.

An engine is `EngineLine`: it takes orders, takes a person's yes, and goes on by itself after a `kill -9`. The steps of
an order are a `Work`: the shop's commands on its ledger, or a small shop with none of our ledger's care.
"""
