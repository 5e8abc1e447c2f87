"""Two workers of the desk on one PostgreSQL and one Redis, by aegra, an open engine of the platform's API."""
