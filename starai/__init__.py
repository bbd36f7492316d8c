"""StarAI's submission library: submit a task, a healthy device nearby answers."""
