"""Constructs by themselves, and settings no environment is shipped with: each file makes one application.

They are made in a process of their own, once (`tests.infra.variants`), because loading the library costs more than all
of them; tests read what comes out.
"""
