"""Synthetic customers, and staff if asked for: what they will do is a plan made from a seed, and is played over HTTP.

`plan` is pure, `play` is the players, `account` what came of it. `python -m traffic --help`.
"""
