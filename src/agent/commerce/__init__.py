"""The shop: its rules (`policy`, `lifecycle`: pure) and the commands that change the world, each once, by key."""
