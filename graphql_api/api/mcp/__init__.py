"""The Model Context Protocol: tools for agents, each an operation of mcp.graphql."""
