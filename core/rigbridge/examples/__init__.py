"""Example reports of each kind, written for the demo."""
