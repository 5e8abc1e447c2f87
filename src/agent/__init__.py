"""A customer-service desk and an order-processing line on LangGraph, with people in the loop.

The map, from the top down (arrows between rooms only point down; `make lint` checks it):

- `evaluation`: how good the desk is at labelled conversations (`desk eval`).
- `customer_service`, `order_processing`, `reconciler`: the three graphs. Open a `graph.py` and see the picture.
- `server` (auth, /ops) and `admin` (`desk`, local verbs); `client` (`desk`, remote verbs) speaks HTTP only.
- `services`: the composition root.
- `approvals` (the one gate), `assistant` (understanding a message), `commerce` (the shop's rules and commands).
- `ledger` (what is true in the world), `providers` (payment).
- `resilience`: circuit breaker and policies; imports nothing of ours.
- `platform`, `identity`, `observability`, `settings`: what everyone may know.

Importing this package builds nothing.
"""
