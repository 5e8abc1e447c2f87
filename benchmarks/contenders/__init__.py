"""Contenders of `benchmarks.orders`: each is a process that is told what to do in JSON lines on its standard input.

They import nothing of `benchmarks` but each other, and of `agent` only what the build of every release has, so that an
old source tree runs them as well as this one.
"""
