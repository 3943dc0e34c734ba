"""The images of the deployment, built and run on a container engine."""
