"""Measures requests, seconds and memory; `make bench` prints the table. Nothing here asserts on time."""
