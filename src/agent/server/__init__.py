"""The server's edge: who may do what (`auth`), the /ops routes (`webapp`), and the cron that keeps things moving."""
