"""One file a question, run as `python -m benchmarks.NAME`: ours and its peers in the same run, a JSON object a line.

What a figure must be is its bar; `holds` says whether it is. `figures` prints them; the process fails if one does not
hold. Nothing here is imported by the package.
"""
