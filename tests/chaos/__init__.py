"""`python -m tests.chaos`: a real server is killed again and again while orders are under way; then the books are read.

`drill` is the whole of it; `orders`, `people` and `site` are what it is played with, `audit` and `report` its end.
"""
