"""Programs that run inside engine pods: probes, drain, middleware.

They travel in a ConfigMap and run on the engine image's own Python with nothing but its standard library, so none
imports another or anything of this package. Each is tested on its own.
"""
