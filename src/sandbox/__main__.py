"""`python -m sandbox`: the outside world as a process of its own."""

from sandbox.server import main

if __name__ == "__main__":
    main()
