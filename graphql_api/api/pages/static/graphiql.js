// Starts GraphiQL on this service. The token goes into the headers pane and stays in memory.

const WELCOME = `# Smart Task Scheduler
#
# 1. Register, or log in, and copy the token from the answer:

mutation Register {
  register(input: { username: "ann", password: "correct horse battery" }) {
    token
    expiresAt
  }
}

mutation LogIn {
  login(input: { username: "ann", password: "correct horse battery" }) {
    token
    expiresAt
  }
}

# 2. Paste it into the Headers pane below: { "Authorization": "Bearer …" }
# 3. Work with your tasks:

mutation CreateTask {
  createTask(input: { title: "Water the plants", priority: HIGH }) {
    task {
      id
      status
    }
  }
}

query Tasks {
  tasks(first: 10) {
    totalCount
    nodes {
      id
      title
      status
      dueAt
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}

# 4. Watch them change, until you stop it:

subscription Changes {
  changes {
    kind
    fields
    task {
      title
      status
    }
  }
}
`;

// GraphiQL's history keeps each query with its headers; the token shall not get to the disk.
const HISTORY = new Set(["graphiql:queries", "graphiql:favorites"]);

const withoutHeaders = (history) =>
  JSON.stringify(JSON.parse(history), (key, value) => (key === "headers" ? undefined : value));

const storage = {
  getItem: (key) => localStorage.getItem(key),
  setItem: (key, value) =>
    localStorage.setItem(key, HISTORY.has(key) ? withoutHeaders(value) : value),
  removeItem: (key) => localStorage.removeItem(key),
  clear: () =>
    Object.keys(localStorage)
      .filter((key) => key.startsWith("graphiql:"))
      .forEach((key) => localStorage.removeItem(key)),
  get length() {
    return localStorage.length;
  },
};

const url = "/graphql";

// GraphiQL's own fetcher knows subscriptions by WebSocket only.
const fetcher = (fetchOthers) => (params, options) =>
  isSubscription(params, options.documentAST)
    ? graphqlSse.createClient({ url, headers: options.headers }).iterate(params)
    : fetchOthers(params, options);

const isSubscription = ({ operationName }, document) =>
  document?.definitions.some(
    ({ operation, name }) =>
      operation === "subscription" && (!operationName || name?.value === operationName),
  );

if (window.GraphiQL && window.GraphiQLPluginExplorer && window.graphqlSse) {
  const explorer = GraphiQLPluginExplorer.explorerPlugin();
  const options = {
    fetcher: fetcher(GraphiQL.createFetcher({ url })),
    plugins: [explorer],
    defaultQuery: WELCOME,
    defaultHeaders: '{ "Authorization": "Bearer " }',
    defaultEditorToolsVisibility: "headers",
    isHeadersEditorEnabled: true,
    shouldPersistHeaders: false,
    storage,
    inputValueDeprecation: true,
  };
  const link = React.createElement("a", { href: "/plan" }, "Your plan");
  const page = React.createElement(
    GraphiQL,
    options,
    React.createElement(GraphiQL.Logo, null, link),
  );
  ReactDOM.createRoot(document.getElementById("graphiql")).render(page);
} else {
  document.getElementById("loading").textContent =
    "GraphiQL could not be loaded: its files are not installed here (make graphiql) " +
    "and the CDN cannot be reached. The API itself works: POST to /graphql.";
}
