"""A job of a dozen calls by PyPI's client of MCP: python mcp_job.py URL TOKEN MODE."""

import asyncio
import json
import sys

import httpx2
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client


async def job(url, token, mode):
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(headers=headers) as http:
        transport = streamable_http_client(url, http_client=http)
        async with Client(transport, mode=mode) as client:
            tools = (await client.list_tools()).tools
            answers = {"tools": len(tools), "version": client.session.protocol_version}

            async def call(tool, **arguments):
                result = await client.call_tool(tool, arguments)
                answers.setdefault("failed", []).append(bool(result.is_error))
                return result.structured_content

            task = await call("add_task", title="Water plants", tags=["home"], priority="high")
            again = await call("add_task", title="Pay rent", idempotency_key="k")
            same = await call("add_task", title="Pay rent", idempotency_key="k")
            wrong = await call(
                "reschedule", id=task["id"], due_on="2030-01-08", expected_weekday="monday"
            )
            moved = await call("reschedule", id=task["id"], due_on="2030-01-07", expected_version=1)
            stale = await call("change_task", id=task["id"], title="x", expected_version=1)
            now = await call("what_now")
            rehearsed = await call("complete_task", id=again["id"], dry_run=True)
            done = await call("complete_task", id=again["id"], idempotency_key="done")
            repeated = await call("complete_task", id=again["id"], idempotency_key="done")
            changes = await call("changes_since", limit=50)
            restored = await call(
                "undo", change_id=changes["nodes"][-1]["id"], expected_version=done["version"]
            )
            return {
                **answers,
                "same": same["id"] == again["id"],
                "wrong": [wrong["code"], "2030-01-07" in wrong["error"]],
                "moved": [moved["due_on"], moved["version"]],
                "stale": [stale["code"], stale["current_version"]],
                "now": sorted(each["task"]["title"] for each in (now, *now["alternatives"])),
                "rehearsed": [rehearsed["dry_run"], rehearsed["status"]],
                "done": done["status"],
                "repeated": repeated == done,
                "restored": restored["status"],
            }


print(json.dumps(asyncio.run(job(*sys.argv[1:]))))
