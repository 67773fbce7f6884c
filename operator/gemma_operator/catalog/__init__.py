"""What is known about Gemma 4 and about GPU products, as values.

Everything here is parsed from text that somebody else read: the two files in this folder, and the ConfigMaps
by which a cluster adds its own fine-tunes and cards. The room never opens a file and never talks to a cluster.
"""
