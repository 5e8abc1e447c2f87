"""What the shop reaches outside: payment. A port, an adapter a provider, and the sandbox that plays the card network."""
