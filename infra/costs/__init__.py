"""What an environment costs when nobody uses it, counted from its templates. Imports no CDK: reads files."""
