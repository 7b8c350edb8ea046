"""The service on AWS Lambda: `lambda_function.lambda_handler` is the name that Lambda looks for."""

import os

from graphql_api.aws_lambda import create_handler

lambda_handler = create_handler(os.environ)
