"""Remote calls with pika alone: the least that a task through RabbitMQ can cost."""
