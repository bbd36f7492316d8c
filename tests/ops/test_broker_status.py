"""`starai broker status`: where the private node is."""

import json

from broker_config.node import NodeStatus
from ops.broker import _line


def test_a_node_is_shown_with_the_ports_on_which_clients_find_it(operated, run):
    file, status = operated.file, operated.status()

    shown = run("broker", "status").output
    asked = json.loads(run("broker", "status", "--json").stdout)

    assert f"RabbitMQ {status.version} at 127.0.0.1:{file.amqp}, web STOMP at 127.0.0.1:{file.web}, " in shown
    assert "Encrypted" not in shown
    ports = {name: asked[f"{name}_port"] for name in ("amqp", "web", "management", "amqps", "webs")}
    assert ports == {name: getattr(file, name) for name in ports}


def test_the_ports_that_other_machines_use_are_named_where_there_are_any():
    both = NodeStatus(pid=7, amqp=1, management=2, version="4.3.6", amqps=3, web=4, webs=5)
    before_web_stomp = NodeStatus(pid=7, amqp=1, management=2, version="4.3.6", amqps=3)

    assert _line(both).endswith("process 7. Encrypted: amqps on port 3 and wss on port 5.")
    assert _line(before_web_stomp).endswith("management at 127.0.0.1:2, process 7. Encrypted: amqps on port 3.")
