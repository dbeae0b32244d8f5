"""Configures an endpoint, sends an event and waits until it is delivered: with a client that
openapi-python-client made of `openapi.json`. It prints the delivery.

Arguments: the server, the API key, the receiver's URL. `PYTHONPATH` has the client's folder.
"""

import json
import sys
import time

from waxseal_client import AuthenticatedClient
from waxseal_client.api.deliveries import get_delivery
from waxseal_client.api.endpoints import create_endpoint
from waxseal_client.api.events import send_events
from waxseal_client.models import Acceptance, CreatedEndpoint, CreateEndpointPing, Delivery, NewEndpoint, NewEvent
from waxseal_client.models import Problem

server, key, receiver = sys.argv[1:]
client = AuthenticatedClient(base_url=server, token=key)

draft = NewEndpoint(url=receiver, name="Made in Python", event_types=["dlp.*"])
endpoint = create_endpoint.sync("python", client=client, body=draft, ping=CreateEndpointPing.FALSE)
assert isinstance(endpoint, CreatedEndpoint), endpoint

event = NewEvent(type_="dlp.violation", id="evt_py", data={"user": "anna"})
accepted = send_events.sync("python", client=client, body=event)
assert isinstance(accepted, Acceptance) and accepted.id == "evt_py", accepted

refused = send_events.sync("python", client=client, body=NewEvent(type_=""))
assert isinstance(refused, Problem) and refused.errors[0].pointer == "/type", refused

for _ in range(200):
    delivery = get_delivery.sync("python", accepted.deliveries[0].id, client=client)
    assert isinstance(delivery, Delivery), delivery
    if delivery.status == "delivered":
        break
    time.sleep(0.05)

assert delivery.endpoint_id == endpoint.id and delivery.attempts[0].response_status == 200, delivery
print(json.dumps(delivery.to_dict()))
