"""Constructs by themselves, and settings no environment is shipped with: each file makes one application.

They are made once, in the process that makes the application itself (`tests.infra.alone.__main__`), because loading
the library costs more than all of them; tests read what comes out.
"""
