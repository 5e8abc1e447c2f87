"""`desk`, the remote command line: it speaks HTTP to the server; of ours it knows `approvals.models` only."""
