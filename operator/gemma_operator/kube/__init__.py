"""The one room that talks to the API server.

One client per process, thin methods on plain dictionaries, server-side apply, leader election, Events. Nothing
here decides what should exist; the controller does.
"""
