"""What tests, demo, attack and benchmarks share: live servers, stubs of the world outside, and scenes of the shop."""
