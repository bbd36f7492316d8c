"""What changes with the number of consumers and of waiting tasks."""
