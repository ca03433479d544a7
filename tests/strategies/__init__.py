"""Hypothesis strategies, one file a topic, shared by all tests."""
