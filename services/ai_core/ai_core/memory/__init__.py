"""What the personas remember of a person: kept, found again and forgotten, always under that person's id."""
