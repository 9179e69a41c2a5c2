"""Samaki: case management for people who protect women and girls in rural Cambodia."""
