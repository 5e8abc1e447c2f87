"""The ways round an approval gate, run against two live servers: an ordinary gate, and this project's.

`python -m attack` runs them and prints the table of docs/security.md. The gates themselves live elsewhere: `ordinary`
is the other one, `src/agent` ours.
"""
