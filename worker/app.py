"""The device's Celery app: a worker with a thread pool around the device's own consumer."""

from typing import Any

from celery import Celery
from celery.worker import WorkController

from broker_config.address import celery_tls
from worker.consumer import HEARTBEAT
from worker.departure import Departure
from worker.device import Device
from worker.enrolment import Enrolment
from worker.frames import readable_frames


def device_app(enrolment: Enrolment, device: Device, departure: Departure) -> Celery:
    """Return the app of one device, which leaves as ``departure`` says.

    Raises:
        BadAddress, BrokerUntrusted, SettingError: the address is none, not safe, or its authority cannot be read.
    """
    url = enrolment.url.get_secret_value()
    app = Celery("starai-worker", set_as_current=False)
    app.conf.update(
        broker_url=url,
        broker_use_ssl=celery_tls(url, enrolment.ca),
        broker_heartbeat=HEARTBEAT,
        broker_transport_options={
            "frame_handler": readable_frames,
            "client_properties": {"connection_name": f"{device.id} tasks"},
        },
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        # Refused a queue, or its queue gone: come back, do not exit.
        broker_channel_error_retry=True,
        # It cancels Celery's own requests, of which there are none, and so only silences a warning.
        worker_cancel_long_running_tasks_on_connection_loss=True,
        worker_consumer="worker.consumer:DeviceConsumer",
        worker_pool="threads",
        worker_concurrency=sum(deployment.slots for deployment in enrolment.deployments),
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        accept_content=["json"],
    )
    app.device = device
    app.departure = departure
    return app


def device_worker(app: Celery) -> Any:
    """Return the worker of a device's app; its ``start()`` returns when the worker has stopped."""
    return WorkController(app=app, use_eventloop=False)
