"""The CloudFormation template as it is deployed, into moto."""

from pathlib import Path

import boto3

from graphql_api.domain.tables import TABLES

TEMPLATE = Path(__file__).parents[2] / "deploy" / "cloudformation.yaml"
NAME = "smart-task-scheduler"


def deploy(prefix: str = "", name: str = NAME) -> dict[str, str]:
    """The outputs of a stack whose tables have names of this prefix."""
    formation = boto3.client("cloudformation", "us-east-1")
    formation.create_stack(
        StackName=name,
        TemplateBody=TEMPLATE.read_text(),
        Parameters=[{"ParameterKey": "TablePrefix", "ParameterValue": prefix}],
        Capabilities=["CAPABILITY_IAM"],
    )
    [stack] = formation.describe_stacks(StackName=name)["Stacks"]
    return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}


def remove() -> None:
    """Delete the stack, and its tables, which it keeps and protects."""
    boto3.client("cloudformation", "us-east-1").delete_stack(StackName=NAME)
    database = boto3.client("dynamodb", "us-east-1")
    for table in TABLES:
        database.update_table(TableName=table.name, DeletionProtectionEnabled=False)
        database.delete_table(TableName=table.name)
