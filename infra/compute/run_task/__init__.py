"""Runs one-off tasks during a deployment; a task that fails, fails the deployment."""
