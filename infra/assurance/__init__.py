"""The proof: what the synthesized templates mean for security, computed from files alone.

It knows nothing of how `infra/` builds them, so it reads any cloud assembly. `python -m infra.assurance --help`.
"""
