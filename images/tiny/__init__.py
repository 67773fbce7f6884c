"""Tiny Gemma 4 checkpoints: real architectures, real control tokens, weights of a megabyte, made in a minute.

They are planned, launched and served exactly like the published ones, through a catalog ConfigMap.
"""
