"""A fake card network and parcel carrier to play against: an outside world that knows nothing of the shop."""
