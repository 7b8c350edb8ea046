"""The dispatcher on AWS Lambda, for a schedule: `lambda_dispatch.lambda_handler`."""

import os

from graphql_api.aws_lambda import create_dispatch_handler

lambda_handler = create_dispatch_handler(os.environ)
