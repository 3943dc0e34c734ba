"""What a person may do with all that is theirs: take it out, and have it forgotten."""
