"""The desk in a browser: its page, as static files, and the routes that serve them at `/desk`.

The files hold no data and need no token. Each byte of data comes to the page from the server's own API, with the token
of whoever sits before it. A page of it is one module of `static/` (see `shell.js`).
"""
