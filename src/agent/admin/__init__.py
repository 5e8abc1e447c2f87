"""`desk`, local verbs: what needs the machine itself rather than the server's API."""
