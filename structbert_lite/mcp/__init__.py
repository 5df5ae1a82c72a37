"""An MCP server: the tasks as tools for agents, over stdio or streamable HTTP."""
