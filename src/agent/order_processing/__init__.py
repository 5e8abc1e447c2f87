"""An order's way from validation to hand-over, or to being undone. `graph.py` is the picture."""
