"""What is done on the emulator as a cloud would do it, or its owner: each public function is an action, its
arguments by name, its answer JSON. `emulator.py` calls them."""

import functools
import io
import json
import os
import threading
import urllib.error
import urllib.request
import zipfile

import boto3
import yaml
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

endpoint = os.environ["EMULATOR_URL"]
making = threading.Lock()


@functools.cache
def only_client(service):
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(max_pool_connections=32),
    )


def client(service):
    # Clients may be shared by threads, but not made by two at a time.
    with making:
        return only_client(service)


def outputs(stack):
    """The stack's outputs, and the operator's API key."""
    described = client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    values = {one["OutputKey"]: one["OutputValue"] for one in described["Outputs"]}
    secret = client("secretsmanager").get_secret_value(SecretId=values["OperatorKeyArn"])
    return {**values, "OperatorKey": secret["SecretString"], "Status": described["StackStatus"]}


class Template(yaml.SafeLoader):
    """Reads the short forms of intrinsic functions as their arguments."""


Template.add_multi_constructor(
    "!", lambda loader, suffix, node: getattr(loader, f"construct_{node.id}")(node)
)


def mend(template, stack):
    """What the emulator leaves out of a deployment, and AWS does not: the HTTP API's routes, which it
    does not read from an OpenAPI body, and a number that a parameter gives, which it keeps as text."""
    functions = client("lambda")
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        if concurrency := mapping.get("ScalingConfig", {}).get("MaximumConcurrency"):
            functions.update_event_source_mapping(
                UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": int(concurrency)}
            )
    with open(template, encoding="utf-8") as file:
        resources = yaml.load(file, Template)["Resources"]
    listed = client("cloudformation").describe_stack_resources(StackName=stack)
    ids = {one["LogicalResourceId"]: one for one in listed["StackResources"]}
    api = client("apigatewayv2")
    api_id = ids["Http"]["PhysicalResourceId"]
    count = 0
    for name, resource in resources.items():
        events = resource.get("Properties", {}).get("Events", {})
        paths = [one["Properties"] for one in events.values() if one["Type"] == "HttpApi"]
        if not paths:
            continue
        function = functions.get_function(FunctionName=ids[name]["PhysicalResourceId"])
        integration = api.create_integration(
            ApiId=api_id,
            IntegrationType="AWS_PROXY",
            IntegrationUri=function["Configuration"]["FunctionArn"],
            PayloadFormatVersion="2.0",
        )["IntegrationId"]
        for path in paths:
            api.create_route(
                ApiId=api_id,
                RouteKey=f"{path['Method']} {path['Path']}",
                Target=f"integrations/{integration}",
            )
            count += 1
    return {"api_id": api_id, "routes": count}


def sizes():
    """The zip of each function, in bytes."""
    functions = client("lambda").list_functions()["Functions"]
    return {one["FunctionName"]: one["CodeSize"] for one in functions}


def replace_code(function, binary):
    """Puts another program in a function's place: this one, or without one a program that crashes."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        member = zipfile.ZipInfo("bootstrap")
        member.external_attr = 0o755 << 16
        code = b"#!/bin/sh\nexit 1\n"
        if binary:
            with open(binary, "rb") as file:
                code = file.read()
        archive.writestr(member, code)
    functions = client("lambda")
    functions.update_function_code(FunctionName=function, ZipFile=package.getvalue())
    return {}


def hasten(queue, receives, visibility_s=1):
    """Has a queue give up after so many receives, a second apart unless it is said otherwise: what
    takes hours otherwise."""
    sqs = client("sqs")
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["RedrivePolicy"])
    policy = json.loads(attributes["Attributes"]["RedrivePolicy"])
    policy["maxReceiveCount"] = receives
    changed = {"VisibilityTimeout": str(visibility_s), "RedrivePolicy": json.dumps(policy)}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=changed)
    return {}


def restore(deliver, bury, binary, queue, receives, visibility_s, timeout_s):
    """Undoes what a test has done to the deployment that is tampered with."""
    hasten(queue, receives, visibility_s)
    time_out(deliver, timeout_s)
    replace_code(deliver, binary)
    for function in deliver, bury:
        listen(function, True)
    return {}


def time_out(function, seconds):
    """Gives a function so long for an invocation."""
    client("lambda").update_function_configuration(FunctionName=function, Timeout=seconds)
    return {}


def listen(function, enabled, queue=""):
    """Switches a function's mappings of queues on or off: all, or that of one queue."""
    functions = client("lambda")
    name = queue.rpartition("/")[2]
    mappings = functions.list_event_source_mappings(FunctionName=function)
    mappings = [
        mapping
        for mapping in mappings["EventSourceMappings"]
        if not name or mapping["EventSourceArn"].endswith(f":{name}")
    ]
    for mapping in mappings:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=enabled)
    return {"mappings": len(mappings)}


def count(queue):
    """How many messages wait in a queue."""
    name = "ApproximateNumberOfMessages"
    attributes = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=[name])
    return int(attributes["Attributes"][name])


def redrive(queue, to):
    """What SQS's own redrive does to dead letters: the same bodies on their queue again."""
    sqs = client("sqs")
    got = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=2).get("Messages", [])
    for one in got:
        sqs.send_message(QueueUrl=to, MessageBody=one["Body"], MessageGroupId="redriven")
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=one["ReceiptHandle"])
    return {"count": len(got)}


def rows(tables=()):
    """Every item of these tables, or of every table, by the table's name."""
    dynamodb = client("dynamodb")
    pages = dynamodb.get_paginator("scan").paginate
    return {
        table: [item for page in pages(TableName=table) for item in page["Items"]]
        for table in tables or dynamodb.list_tables()["TableNames"]
    }


def logs(function):
    """All that a function has logged."""
    group = client("lambda").get_function(FunctionName=function)["Configuration"]["LoggingConfig"]["LogGroup"]
    pages = client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
    return [one["message"] for page in pages for one in page["events"]]


def http(path, method="GET", host=None, headers=None, body=None):
    """One HTTP request; its status and body."""
    request = urllib.request.Request(
        endpoint + path, method=method, data=None if body is None else body.encode()
    )
    for header, value in {**(headers or {}), **({"Host": host} if host else {})}.items():
        request.add_header(header, value)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return {"status": response.status, "body": response.read().decode()}
    except urllib.error.HTTPError as error:
        return {"status": error.code, "body": error.read().decode()}


def http_signed(path, method="POST", headers=None, body=None):
    """The same with an IAM signature, as a function URL wants it. In the query, since the emulator
    does not tell the function who has signed, so that the API key must be sent as well."""
    request = AWSRequest(method=method, url=endpoint + path, data=body)
    SigV4QueryAuth(Credentials("test", "test"), "lambda", "us-east-1").add_auth(request)
    return http(request.url.removeprefix(endpoint), method, headers=headers, body=body)


def put_event(bus, source, detail_type, detail):
    """An event on the bus."""
    entry = {"EventBusName": bus, "Source": source, "DetailType": detail_type, "Detail": detail}
    return {"failed": client("events").put_events(Entries=[entry])["FailedEntryCount"]}


def publish(topic, message, tenant):
    """A message on the topic."""
    attribute = {"tenant": {"DataType": "String", "StringValue": tenant}}
    sent = client("sns").publish(TopicArn=topic, Message=message, MessageAttributes=attribute)
    return {"id": sent["MessageId"]}


def send(queue, body, tenant):
    """A message on the queue."""
    attribute = {"tenant": {"DataType": "String", "StringValue": tenant}}
    sent = client("sqs").send_message(
        QueueUrl=queue, MessageBody=body, MessageAttributes=attribute
    )
    return {"id": sent["MessageId"]}


def invoke(function, payload):
    """A direct invocation."""
    answer = client("lambda").invoke(FunctionName=function, Payload=payload.encode())
    body = json.loads(answer["Payload"].read() or b"null")
    return {"error": answer.get("FunctionError"), "answer": body}


def make_queue(name):
    """A queue of somebody else's; FIFO by its name."""
    attributes = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
    url = client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    got = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return {"url": url, "arn": got["Attributes"]["QueueArn"]}


def make_bus(name, pattern):
    """A bus of somebody else's, with a rule that brings what is like the pattern to a queue."""
    events = client("events")
    arn = events.create_event_bus(Name=name)["EventBusArn"]
    events.put_rule(Name=name, EventBusName=name, EventPattern=json.dumps(pattern))
    queue = make_queue(f"{name}-caught")
    events.put_targets(
        Rule=name, EventBusName=name, Targets=[{"Id": "caught", "Arn": queue["arn"]}]
    )
    return {"arn": arn, "caught": queue["url"]}


def delete_queue(queue):
    """Somebody else's queue is gone."""
    client("sqs").delete_queue(QueueUrl=queue)
    return {}


def receive(queue):
    """What waits in a queue, with its reasons and attributes."""
    got = client("sqs").receive_message(
        QueueUrl=queue,
        MaxNumberOfMessages=10,
        WaitTimeSeconds=5,
        MessageAttributeNames=["All"],
        AttributeNames=["All"],
    )
    return [
        {
            "body": one["Body"],
            "reason": one.get("MessageAttributes", {}).get("reason", {}).get("StringValue"),
            "attributes": {
                name: attribute["StringValue"]
                for name, attribute in one.get("MessageAttributes", {}).items()
            },
            "group": one.get("Attributes", {}).get("MessageGroupId"),
            "deduplication_id": one.get("Attributes", {}).get("MessageDeduplicationId"),
        }
        for one in got.get("Messages", [])
    ]


def attribute(name, kind):
    return {"AttributeName": name, "AttributeType": kind}


def keys(partition, sort):
    return [
        {"AttributeName": partition, "KeyType": "HASH"},
        {"AttributeName": sort, "KeyType": "RANGE"},
    ]


def index(name, partition, sort, projection):
    return {"IndexName": name, "KeySchema": keys(partition, sort), "Projection": projection}


KEYS_ONLY = {"ProjectionType": "KEYS_ONLY"}


def provision(prefix):
    """Makes the tables, queues, key and secret of template.yaml's names; answers with their names."""
    dynamodb, sqs = client("dynamodb"), client("sqs")
    main = [attribute("pk", "S"), attribute("sk", "S")]
    dynamodb.create_table(
        TableName=f"{prefix}-config",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=main,
        KeySchema=keys("pk", "sk"),
    )
    dynamodb.create_table(
        TableName=f"{prefix}-state",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=main
        + [
            attribute("due_shard", "S"),
            attribute("due_at", "N"),
            attribute("endpoint_key", "S"),
            attribute("born", "N"),
            attribute("day_shard", "S"),
            attribute("received_at", "N"),
        ],
        KeySchema=keys("pk", "sk"),
        GlobalSecondaryIndexes=[
            index(
                "due",
                "due_shard",
                "due_at",
                {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["next_at", "claims", "lane"]},
            ),
            index("by_endpoint", "endpoint_key", "born", KEYS_ONLY),
            index("by_time", "day_shard", "received_at", KEYS_ONLY),
        ],
    )
    queues = {
        name: sqs.create_queue(
            QueueName=f"{prefix}-{name}", Attributes={"VisibilityTimeout": "91"}
        )["QueueUrl"]
        for name in ("deliveries", "rejected")
    }
    key = client("kms").create_key()["KeyMetadata"]["Arn"]
    secret = client("secretsmanager").create_secret(
        Name=f"{prefix}-operator", SecretString="operator"
    )["ARN"]
    return {
        "config_table": f"{prefix}-config",
        "state_table": f"{prefix}-state",
        "queue_url": queues["deliveries"],
        "rejected_queue_url": queues["rejected"],
        "key_id": key,
        "operator_secret": secret,
    }
