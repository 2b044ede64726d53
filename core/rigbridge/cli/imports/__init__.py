"""What the command ``import`` shows while it runs."""
