"""Conversations: what a person says to one persona."""
