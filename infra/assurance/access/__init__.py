"""Who may do what with what: IAM, read from every policy of an assembly."""
