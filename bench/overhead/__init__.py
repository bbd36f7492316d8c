"""What a task costs beside its model: against raw AMQP, stock Celery and dramatiq."""
