"""How many replicas: signals, demand, capacity, behavior, decision. Pure.

The scaling loop of the controller and the simulator call ``policy.decide`` with the same values. Time comes in as a
number; nothing here reads, writes, or draws at random.
"""
