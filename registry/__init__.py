"""The registry database: owners, devices, measurements, deployments. No broker, no Celery."""
