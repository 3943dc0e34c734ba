"""Tests of the memory: the contract that every store keeps, and how words become vectors."""
