"""Pages of ``docs/`` that are written from the code: what may be set, and what it costs. Imports no CDK."""
