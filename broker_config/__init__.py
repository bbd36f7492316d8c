"""RabbitMQ as frozen data (names, topology, priority) and the few modules that apply it."""
