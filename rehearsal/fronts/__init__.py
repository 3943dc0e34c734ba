"""What stands between callers and what is deployed: names, TLS and rights, where the emulator has none.

``python -m rehearsal.fronts`` serves all of it until it gets SIGTERM. The emulator knows what is deployed and who may;
the fronts ask it.
"""
