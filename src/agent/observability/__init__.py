"""One event is one metric, one log line and one trace tag."""
