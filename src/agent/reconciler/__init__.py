"""What drives everything forward that nobody waits for. `graph.py` is the picture, `jobs.py` the jobs."""
