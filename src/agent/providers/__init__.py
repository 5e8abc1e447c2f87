"""What the shop reaches outside: payment. A port, an adapter a provider, and a sandbox card network to play against."""
