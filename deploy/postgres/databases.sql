-- The ledger has its database to itself; the platform keeps its own in `postgres`.
CREATE DATABASE desk;
