"""Understanding what a customer wants, and knowing the shop's articles. Proposes; never decides, never writes."""
