"""Container images made without Docker: the OCI writer, the Debian root file system, the engine on CPU.

Used by ``e2e`` and the Makefile; never imported by the operator.
"""
