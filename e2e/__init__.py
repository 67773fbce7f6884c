"""The real cluster and the scenarios that are played on it."""
