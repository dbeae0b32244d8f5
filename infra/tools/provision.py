"""Makes the tables, queues, key and secret of template.yaml's names on the emulator, for the contract
suite: `provision.py ENDPOINT_URL PREFIX` prints their names as JSON."""

import json
import sys

import boto3

endpoint, prefix = sys.argv[1:]


def client(service):
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


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
print(
    json.dumps(
        {
            "config_table": f"{prefix}-config",
            "state_table": f"{prefix}-state",
            "queue_url": queues["deliveries"],
            "rejected_queue_url": queues["rejected"],
            "key_id": key,
            "operator_secret": secret,
        }
    )
)
