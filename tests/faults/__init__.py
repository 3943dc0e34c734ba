"""What Sanctum does while its parts die, hang, fill up or lie, checked against what each client was told."""
