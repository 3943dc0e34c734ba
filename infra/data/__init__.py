"""What has to outlive every release: the user database, the memory, the secrets, and their keys."""
