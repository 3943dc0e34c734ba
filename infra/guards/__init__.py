"""What travels with the account: a boundary for every role, what a deployment may do, and why a finding is accepted."""
