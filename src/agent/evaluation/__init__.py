"""How good the desk is: labelled conversations run through the real graph, and what came of them held against them."""
