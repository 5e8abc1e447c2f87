"""The approval gate: who must say yes (`chains`), requests and decisions in the ledger, and the only interrupt."""
