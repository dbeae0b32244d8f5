"""What must hold of template.yaml after SAM has transformed it; prints every fault, ends with 1 if any."""

import os
import re
import sys

os.environ["AWS_DEFAULT_REGION"] = "us-east-1"  # the translator asks for one; nothing is called

import boto3
from samtranslator.translator.managed_policy_translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class NoManagedPolicies(ManagedPolicyLoader):
    """None are looked up: the template names none."""

    def load(self):
        return {}


with open("template.yaml", encoding="utf-8") as file:
    source = yaml_parse(file.read())
for one in source["Resources"].values():
    if one["Type"] == "AWS::Serverless::Function":
        one["Properties"]["CodeUri"] = "s3://packages/any.zip"  # as after packaging
defaults = {name: one.get("Default") for name, one in source["Parameters"].items()}
resources = transform(source, defaults, NoManagedPolicies(boto3.client("iam", aws_access_key_id="none", aws_secret_access_key="none")))["Resources"]
faults = []


def of_type(kind):
    return {name: one for name, one in resources.items() if one["Type"] == kind}


def as_list(value):
    return value if isinstance(value, list) else [value]


def statements(policy):
    """All of a policy's, those under a condition too."""
    for one in policy["PolicyDocument"]["Statement"]:
        branches = one["Fn::If"][1:] if "Fn::If" in one else [one]
        yield from (branch for branch in branches if "Effect" in branch)


for name, role in of_type("AWS::IAM::Role").items():
    if role["Properties"].get("ManagedPolicyArns"):
        faults.append(f"{name} has managed policies")
    for policy in role["Properties"].get("Policies", []):
        for statement in statements(policy):
            if statement["Effect"] == "Allow" and "*" in as_list(statement["Resource"]):
                faults.append(f"{name} allows {statement['Action']} on every resource")

# What endpoints may be sent to: exactly what the operator lists, by those who send, under a condition.
lists = {"TargetQueueArns": "sqs:SendMessage", "TargetBusArns": "events:PutEvents"}
kinds = {"TargetQueueArns": "AWS::SQS::Queue", "TargetBusArns": "AWS::Events::EventBus"}
parameters = {name for name in source["Parameters"] if re.fullmatch("Target.*Arns", name)}
if parameters != set(lists) or parameters != set(kinds):
    faults.append(f"of the parameters {sorted(parameters)}, not each is in lists and in kinds")
granted = set()
for name, role in of_type("AWS::IAM::Role").items():
    for policy in role["Properties"].get("Policies", []):
        for statement in policy["PolicyDocument"]["Statement"]:
            for branch in statement.get("Fn::If", [None])[1:]:
                resource = branch.get("Resource")
                listed = resource.get("Ref") if isinstance(resource, dict) else None
                if listed in lists and branch["Action"] == [lists[listed]]:
                    granted.add((name, listed))
                elif "Effect" in branch:
                    faults.append(f"{name} allows {branch['Action']} under a condition")
if granted != {(role, listed) for role in ("DeliverRole", "ApiRole") for listed in lists}:
    faults.append(f"other roles may send to targets than should: {sorted(granted)}")
for listed in lists:
    pattern = source["Parameters"][listed]["AllowedPattern"]
    service, resource = ("sqs", "") if listed == "TargetQueueArns" else ("events", "event-bus/")
    arn = f"arn:aws:{service}:us-east-1:000000000000:{resource}"
    wild = [f"{arn}*", f"{arn}a?", arn.replace("us-east-1", "*") + "a", "*"]
    if not re.fullmatch(pattern, f"{arn}name") or any(re.fullmatch(pattern, one) for one in wild):
        faults.append(f"{listed} lets a wildcard in, or nothing")

# Deliver and Api know what the operator lists, and what is Waxseal's own and never a target.
own = {name for kind in kinds.values() for name in of_type(kind)}
for name in ("Deliver", "Api"):
    variables = source["Resources"][name]["Properties"]["Environment"]["Variables"]
    if any(listed not in str(variables["WAXSEAL_TARGET_ARNS"]) for listed in lists):
        faults.append(f"WAXSEAL_TARGET_ARNS of {name} lacks a list of targets")
    listed_own = {arn["Fn::GetAtt"][0] for arn in variables["WAXSEAL_OWN_ARNS"]["Fn::Join"][1]}
    if listed_own != own:
        faults.append(f"WAXSEAL_OWN_ARNS of {name} differs from what there is: {sorted(listed_own ^ own)}")

# Whoever calls these is answered with the failure, and calls again; the others fail unseen.
answering = {"Api", "Receiver"}
watched = {
    str(dimension["Value"].get("Ref", "") if isinstance(dimension["Value"], dict) else dimension["Value"]).lower()
    for alarm in of_type("AWS::CloudWatch::Alarm").values()
    for dimension in alarm["Properties"].get("Dimensions", [])
}
for name in of_type("AWS::Lambda::Function"):
    if name not in answering and name.lower() not in watched:
        faults.append(f"{name} has no alarm")

groups = of_type("AWS::Logs::LogGroup")
for name, function in of_type("AWS::Lambda::Function").items():
    group = function["Properties"].get("LoggingConfig", {}).get("LogGroup", {}).get("Ref")
    if "RetentionInDays" not in groups.get(group, {}).get("Properties", {}):
        faults.append(f"{name} has no log group with retention")

refusing = [
    queue["Ref"]
    for policy in of_type("AWS::SQS::QueuePolicy").values()
    for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    if statement["Effect"] == "Deny"
    and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    for queue in policy["Properties"]["Queues"]
]
for name, queue in of_type("AWS::SQS::Queue").items():
    if not queue["Properties"].get("SqsManagedSseEnabled"):
        faults.append(f"{name} is not encrypted")
    if name not in refusing:
        faults.append(f"{name} takes plain HTTP")

config, state = resources["ConfigTable"], resources["StateTable"]["Properties"]
if config.get("DeletionPolicy") != "Retain" or config.get("UpdateReplacePolicy") != "Retain":
    faults.append("ConfigTable is not retained")
if not config["Properties"]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]:
    faults.append("ConfigTable has no point-in-time recovery")
if not state["TimeToLiveSpecification"]["Enabled"]:
    faults.append("StateTable has no TTL")
if "KeyPolicy" in resources["SecretsKey"]["Properties"]:
    faults.append("SecretsKey does not keep its default key policy")

print("\n".join(faults))
sys.exit(1 if faults else 0)
