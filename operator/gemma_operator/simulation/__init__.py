"""Replays a trace of requests against simulated replicas under the operator's own scaling policy.

Called by the command line and the benches. Discrete events; randomness only from a seed that is handed in.
"""
