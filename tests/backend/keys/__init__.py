"""Tests of people's keys: what they are wrapped with, how that changes, and what is left of them in a backup."""
