"""`make show`: a living shop. Customers come and go, people's queues fill, and buttons take away what it depends on.

`supervisor` runs it and starts again what was killed, `control` is the page with the buttons, `audit` the counts on it.
"""
