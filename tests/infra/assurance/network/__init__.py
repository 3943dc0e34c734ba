"""Reachability: edges computed from small templates."""
