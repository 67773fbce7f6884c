"""``gemmactl``: the planner, the memory arithmetic and the generators, for people and for scripts."""
