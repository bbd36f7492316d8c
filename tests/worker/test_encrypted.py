"""A device and a submitter that reach their broker by TLS alone."""

from starai import Client


class Encrypted:
    """A broker whose users get encrypted addresses."""

    def __init__(self, broker) -> None:
        self._broker, self.node, self.vhost = broker, broker.node, broker.vhost

    def device(self, name: str, *queues: str) -> str:
        return self._encrypted(self._broker.device(name, *queues))

    def submitter(self, name: str | None = None) -> str:
        return self._encrypted(self._broker.submitter(name))

    def _encrypted(self, url: str) -> str:
        file = self.node.file
        return url.replace("amqp:", "amqps:").replace(f"127.0.0.1:{file.amqp}", f"localhost:{file.amqps}")


def test_tasks_go_to_a_device_and_come_back_encrypted_however_large(tls, own_broker, start, until, monkeypatch):
    monkeypatch.setenv("STARAI_BROKER_CA", str(own_broker.node.authority.file))
    broker = Encrypted(own_broker)
    device = start(broker, slots=2)

    with Client(broker.submitter(), region="asia") as client:
        jobs = client.submit_many("all-minilm-l6-v2", [["hello " + "x" * size] for size in (1, 1_000, 100_000)] * 20)
        assert {job.result(30).shape for job in jobs} == {(1, 1)}

    until(lambda: [c.get("ssl") for c in device.connections()] == [True, True])
