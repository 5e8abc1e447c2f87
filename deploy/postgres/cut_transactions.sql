-- Ends transactions whose client has said nothing for ten seconds in the middle of a statement. asyncpg sends a statement
-- in two parts, and between them PostgreSQL takes the session for active: neither idle_in_transaction_session_timeout nor
-- statement_timeout ends one whose worker froze there, and what it had locked stays locked. To be run every few seconds
-- on the engine's database, by its owner; from PostgreSQL 17 on `ALTER DATABASE … SET transaction_timeout = '30s'` does it.
SELECT pg_terminate_backend(pid)
FROM pg_stat_activity
WHERE datname = current_database()
  AND state = 'active'
  AND wait_event = 'ClientRead'
  AND state_change < now() - interval '10 seconds';
